"""The command `fastnn bench`."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from fastnn import cli
from fastnn.bench import machine
from fastnn.bench.cases import Case
from fastnn.bench.machine import Peak


@pytest.fixture
def no_peak(monkeypatch):
    monkeypatch.setattr(machine, "measure_peak", lambda threads: Peak({"float32": 1e11}, {2**18: 1e10}))


def test_bench_prints_and_writes(no_peak, tmp_path, capsys):
    file = tmp_path / "out.json"
    assert cli.main(["bench", "--only", "softmax 32x10", "--seconds", "0.2", "--json", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 120
    assert [line.split("  ")[0] for line in lines[-3:]] == [
        "softmax and cross-entropy",
        "softmax 32x10",
        "log_softmax 32x10",
    ]
    assert any(re.fullmatch(r"contenders +fastnn .*; NumPy .*", line) for line in lines)
    written = json.loads(file.read_text())
    assert set(written) == {"machine", "peak", "cases"}
    assert written["peak"] == {"flops": {"float32": 1e11}, "copies": {str(2**18): 1e10}}
    for case in written["cases"]:
        own, reference = case["results"]["native"], case["results"]["reference"]
        assert 0 < own["min"] <= own["median"]
        assert reference["ratio"] == pytest.approx(reference["min"] / own["min"])
        assert Case.from_json(case["case"]).operation in ("softmax", "log_softmax")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "["], r"--only must be a regular expression, got '\['"),
        (["--only", "nothing"], "--only 'nothing' is in no case; there are sections: a training step inside fit, "),
        (["--json", "/nowhere/at/all.json"], "No such file or directory: '/nowhere/at/all.json'"),
    ],
)
def test_bench_says_what_is_wrong(arguments, message, capsys):
    assert cli.main(["bench", *arguments]) == 1
    assert re.search(message, capsys.readouterr().err)


def test_ctrl_c_leaves_no_process_behind():
    command = [
        sys.executable,
        "-c",
        "from fastnn.cli import main; raise SystemExit(main())",
        "bench",
        "--only",
        "softmax",
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as bench:
        while not bench.stdout.readline().startswith("Times are"):  # the workers have started
            assert bench.poll() is None, bench.stderr.read()
        os.killpg(bench.pid, signal.SIGINT)
        try:
            _, errors = bench.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(bench.pid, signal.SIGKILL)
            raise
    assert bench.returncode == 130
    assert errors.strip().endswith("interrupted")
    with pytest.raises(ProcessLookupError):
        os.killpg(bench.pid, 0)  # nobody of its group is left


def test_bench_is_imported_only_when_it_is_used():
    code = "import sys, fastnn; print(any(name.startswith('fastnn.bench') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
