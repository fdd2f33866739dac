"""SIGKILL at random moments: a run that is started again each time ends with the bits of one that nothing happened to.

FASTNN_TESTS_KILLS is how often; `make kills` takes some hundreds.
"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from fastnn.files.format import read
from support import resumable

KILLS = int(os.environ.get("FASTNN_TESTS_KILLS", "20"))
EPOCHS = 500
LONGEST = 0.3  # seconds until a kill
PATIENCE = 60.0


@pytest.fixture(scope="module")
def uninterrupted():
    return resumable.long_run(None, EPOCHS)


def forked(path):
    """A child that runs to its end, unless it is killed; it prints its bits into a file."""
    child = os.fork()
    if child == 0:
        try:
            answer = repr(resumable.long_run(path, EPOCHS))
            with open(f"{path}.answer", "w") as file:
                file.write(answer)
        finally:
            os._exit(0)  # whatever happens: two processes must not go on with the tests
    return child


def killed(child, seconds):
    """Whether the child was killed after so many seconds, before its end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            return False
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_a_run_killed_at_random_moments_ends_with_the_same_bits(uninterrupted, tmp_path):
    moments, kills, ends, positions = random.Random(time.time_ns()), 0, 0, set()
    while kills < KILLS or ends == 0:
        path = tmp_path / f"run{ends}"
        in_time = moments.random() * LONGEST if kills < KILLS else PATIENCE
        if killed(forked(path), in_time):
            assert kills < KILLS, "the run takes too long"
            kills += 1
            if path.exists():
                state = read(path, "checkpoint")[1]["state"]
                positions.add(repr(state))
        else:
            with open(f"{path}.answer") as file:
                assert file.read() == repr(uninterrupted)
            ends += 1
    assert len(positions) > KILLS / 4  # they did cut it off at different places


def test_a_script_killed_and_started_again_ends_with_the_same_bits(uninterrupted, tmp_path):
    """As processes of their own, that start from nothing."""
    command = [sys.executable, resumable.__file__, str(tmp_path / "run"), str(EPOCHS)]
    for seconds in (0.2, 0.5, None):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            if seconds is not None:
                deadline = time.monotonic() + PATIENCE
                while not (tmp_path / "run").exists() and time.monotonic() < deadline:
                    time.sleep(0.01)
                time.sleep(seconds)
                child.kill()
            else:
                assert child.communicate(timeout=PATIENCE)[0].strip() == repr(uninterrupted)
