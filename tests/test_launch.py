"""`python -m fastnn.launch`: what it finds and says, and with mpi4py and an MPI what becomes of ranks."""

import importlib.util
import os
import sys

import pytest

from fastnn import launch
from support.launched import launched, needs_mpi

# -- without MPI -------------------------------------------------------------------------------------------------------


def test_without_mpi4py_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        launch.main(["-n", "2", __file__])
    assert 'fastnn.launch needs mpi4py and an MPI: pip install "fastnn-core[mpi]" mpich' in capsys.readouterr().err


def test_wrong_arguments_are_told(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(launch, "find_mpiexec", lambda: None)
    for arguments, message in (
        ([], "the following arguments are required: script"),
        (["-n", "2", "nowhere.py"], "there is no script nowhere.py"),
        (["-n", "0", __file__], "-n must be at least 1, got 0"),
        (["-n", "2", __file__], "fastnn.launch needs mpi4py and an MPI"),
    ):
        with pytest.raises(SystemExit, match="2"):
            launch.main(arguments)
        assert message in capsys.readouterr().err


def test_each_rank_has_its_share_of_the_processors(monkeypatch):
    calls = []
    monkeypatch.setattr(os, "execve", lambda *given: calls.append(given))
    monkeypatch.setattr(launch, "get_num_threads", lambda: 8)
    monkeypatch.delenv("FASTNN_NUM_THREADS", raising=False)
    launch.start("/bin/mpiexec", 3, ["script.py", "-n"])
    launch.start("/bin/mpiexec", 20, ["script.py"])
    monkeypatch.setenv("FASTNN_NUM_THREADS", "5")
    launch.start("/bin/mpiexec", 3, ["script.py"])
    assert [environment["FASTNN_NUM_THREADS"] for _, _, environment in calls] == ["2", "1", "5"]
    assert calls[0][1] == ["/bin/mpiexec", "-n", "3", sys.executable, "-m", "fastnn.launch", "script.py", "-n"]


def test_mpiexec_of_the_environment_comes_before_that_of_the_path(monkeypatch, tmp_path):
    for folder in ("env/bin", "path"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "mpiexec").write_text("#!/bin/sh\n")
        (tmp_path / folder / "mpiexec").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    assert launch.find_mpiexec() == str(tmp_path / "env/bin/mpiexec")
    (tmp_path / "env/bin/mpiexec").unlink()
    assert launch.find_mpiexec() == str(tmp_path / "path/mpiexec")


# -- with MPI ----------------------------------------------------------------------------------------------------------

HEAD = """
import os, sys
from mpi4py import MPI
rank = MPI.COMM_WORLD.Get_rank()
"""


@needs_mpi
def test_a_script_runs_on_each_rank(tmp_path):
    script = f"{HEAD}import time; time.sleep(rank / 4)\n"
    script += "print(rank, MPI.COMM_WORLD.Get_size(), sys.argv[1:], __name__, sys.path[0], flush=True)"
    out, _ = launched(tmp_path, script, "-n", "2", "-x", "1")
    assert sorted(out.splitlines()) == [f"{i} 2 ['-x', '1'] __main__ {tmp_path}" for i in range(2)]


@needs_mpi
def test_an_error_on_one_rank_ends_all_and_is_shown_once(tmp_path):
    script = f"{HEAD}if rank == 1: raise KeyError('nothing here')\nMPI.COMM_WORLD.Barrier()"
    _, said = launched(tmp_path, script, "-n", "3", code=1)
    assert said.count("Traceback") == 1 and said.startswith("rank 1 of 3: Traceback")
    assert "KeyError: 'nothing here'" in said and "runpy" not in said and "launch.py" not in said


@needs_mpi
def test_an_exit_of_one_rank_ends_all(tmp_path):
    script = f"{HEAD}if rank == 1: sys.exit('no data')\nMPI.COMM_WORLD.Barrier()"
    assert "rank 1 of 2: exit: no data" in launched(tmp_path, script, "-n", "2", code=1)[1]
    script = f"{HEAD}if rank == 1: sys.exit(7)\nMPI.COMM_WORLD.Barrier()"
    assert "rank 1 of 2: exit code 7" in launched(tmp_path, script, "-n", "2", code=7)[1]


@needs_mpi
def test_an_error_that_all_ranks_have_is_shown_once(tmp_path):
    script = "import numpy as np, fastnn\nfastnn.Trainer(None, None, None)"
    _, said = launched(tmp_path, script, "-n", "2", code=1)
    assert said.count("Traceback") == 1 and "rank 0 of 2" in said


@needs_mpi
def test_a_rank_that_is_killed_ends_all(tmp_path):
    script = f"{HEAD}if rank == 1: os.kill(os.getpid(), 9)\nMPI.COMM_WORLD.Barrier()"
    out, said = launched(tmp_path, script, "-n", "2", code=9)
    assert "Killed" in out + said
