"""Run a script on several ranks of MPI: `python -m fastnn.launch -n 4 script.py arguments`.

Without a scheduler it finds the mpiexec that belongs to this Python, and gives each rank its share of the processors.
Within one (`srun python -m fastnn.launch script.py`) it only runs the script. In either case an error that one rank
raises is shown once, with the number of the rank, and ends all of them: a rank that waits for another one would wait
for ever.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import runpy
import shutil
import sys
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from ._settings import get_num_threads
from .distributed import RankError

MISSING = 'fastnn.launch needs mpi4py and an MPI: pip install "fastnn-core[mpi]" mpich'
LATER = 0.5  # seconds by which other ranks than 0 wait with their errors: where all have the same, it is shown once
PATIENCE = 5.0  # seconds in which the rank with an error must have ended the others, until they end by themselves


def main(arguments: list[str] | None = None) -> int:
    """Run a script, on this rank or on several new ones; returns what the process is to exit with.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the command line by default.
    """
    parser = argparse.ArgumentParser(
        prog="python -m fastnn.launch",
        usage="%(prog)s [-n RANKS] [-m] script [arguments ...]",
        description="Run a Python script on several ranks of MPI; if one raises an error, all end.",
    )
    parser.add_argument(
        "-n", dest="ranks", type=int, metavar="RANKS", help="start so many; without it, run as one of them"
    )
    parser.add_argument("-m", dest="module", action="store_true", help="script is the name of a module")
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    if importlib.util.find_spec("mpi4py") is None:
        parser.error(MISSING)
    if not given.module and not Path(given.script).is_file():
        parser.error(f"there is no script {given.script}")
    if given.ranks is None:
        return run(given.script, given.arguments, given.module)
    if given.ranks < 1:
        parser.error(f"-n must be at least 1, got {given.ranks}")
    mpiexec = find_mpiexec()
    if mpiexec is None:
        parser.error(MISSING)
    return start(mpiexec, given.ranks, [*(["-m"] if given.module else []), given.script, *given.arguments])


def find_mpiexec() -> str | None:
    """The path of mpiexec: beside this Python, where the packages mpich, openmpi and impi-rt put it, or else in PATH.

    It must be of the MPI that mpi4py loads; in a virtual environment that is the one of the environment.
    """
    beside = str(Path(sys.prefix) / ("Scripts" if os.name == "nt" else "bin"))
    return shutil.which("mpiexec", path=beside) or shutil.which("mpiexec")


def start(mpiexec: str, ranks: int, script: list[str]) -> NoReturn:
    """Become mpiexec, with a share of the processors for each rank; an environment that says how many counts."""
    share = max(1, get_num_threads() // ranks)
    environment = {"FASTNN_NUM_THREADS": str(share)} | os.environ
    command = [mpiexec, "-n", str(ranks), sys.executable, "-m", "fastnn.launch", *script]
    sys.stdout.flush()
    os.execve(mpiexec, command, environment)


def run(script: str, arguments: list[str], module: bool = False) -> int:
    """Run a script as `__main__` on this rank; an error ends the processes of all ranks."""
    from mpi4py import MPI

    comm: Any = MPI.COMM_WORLD
    sys.argv = [script, *arguments]
    try:
        if module:
            sys.path[:0] = [os.getcwd()]
            runpy.run_module(script, run_name="__main__", alter_sys=True)
        else:
            sys.path[:0] = [str(Path(script).resolve().parent)]
            runpy.run_path(script, run_name="__main__")
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if code == 0 or comm.Get_size() == 1:
            raise
        _end(comm, f"exit code {code}" if isinstance(error.code, int) else f"exit: {error.code}", code)
    except RankError as error:  # the other rank shows it; if it does not, where its script went on, this one does
        time.sleep(PATIENCE)
        _end(comm, _text(error), 1)
    except BaseException as error:
        time.sleep(LATER if comm.Get_rank() else 0.0)
        _end(comm, _text(error), 130 if isinstance(error, KeyboardInterrupt) else 1)
    return 0


def _end(comm: Any, text: str, code: int) -> None:
    """Say what happened on this rank, and end all."""
    print(f"rank {comm.Get_rank()} of {comm.Get_size()}: {text.rstrip()}", file=sys.stderr, flush=True)
    sys.stdout.flush()
    comm.Abort(code)


def _text(error: BaseException) -> str:
    """An error as Python shows it, without the frames that run the script."""
    place: TracebackType | None = error.__traceback__
    while place is not None and place.tb_frame.f_code.co_filename in (__file__, runpy.__file__, "<frozen runpy>"):
        place = place.tb_next
    return "".join(traceback.format_exception(type(error), error, place or error.__traceback__))


if __name__ == "__main__":
    sys.exit(main())
