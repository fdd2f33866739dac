"""Contenders that misbehave."""

import re

import pytest

from fastnn.bench import cases

FAKES = {
    "steady": """
        import os, time
        print("this is not an answer")
        VERSION = f"{os.environ['OMP_NUM_THREADS']} threads, {len(os.sched_getaffinity(0))} cores"
        def function(case):
            def run(n):
                time.sleep(n * 2e-4)
                with open(case.options["log"], "a") as log:
                    log.write(f"{os.getpid()}\\n")
            return run
        """,
    "dying": """
        import os, sys
        VERSION, calls = "1", []
        def function(case):
            def run(n):
                calls.append(n)
                if len(calls) > 2:
                    print("what a pity", file=sys.stderr, flush=True)
                    os._exit(3)
            return run
        """,
    "failing": """
        VERSION = "1"
        def function(case):
            raise ValueError("no such luck")
        """,
    "hanging": """
        import time
        VERSION = "1"
        def function(case):
            return lambda n: time.sleep(100)
        """,
    "absent": "import a_library_that_nobody_has",
}


@pytest.fixture
def fakes(tmp_path, monkeypatch):
    """Contenders that misbehave; returns a case whose log they write."""
    package = tmp_path / "fakes"
    package.mkdir()
    for name, text in FAKES.items():
        (package / f"{name}.py").write_text(re.sub(r"^ {8}", "", text, flags=re.M))
    monkeypatch.syspath_prepend(tmp_path)
    return cases.function("section", "nothing", (10,), (), 1, log=str(tmp_path / "log"))
