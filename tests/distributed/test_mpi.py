"""Ranks of MPI: the bits of one process, and what happens when one of them raises an error or is killed."""

import hashlib

import pytest

pytest.importorskip("mpi4py")

from support.launched import launched, needs_mpi

pytestmark = needs_mpi

SCRIPT = """
import hashlib, os, sys
import numpy as np
import fastnn
from fastnn import nn, optim

def train(comm, fault="", epochs=6, **arguments):
    rank = 0 if comm is None else comm.Get_rank()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(301, 6)).astype("float32")
    y = rng.integers(0, 3, 301)
    net = nn.Sequential(
        nn.Linear(6, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 128), nn.ReLU(),
        nn.Linear(128, 3), seed=0,
    )
    optimizer = optim.AdamW(net.parameters(), lr=0.01, max_grad_norm=1.0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optimizer, metrics=["f1"], comm=comm, blocks=8)
    if fault == "columns" and rank == 1:
        x = x[:, :5]
    if fault == "label" and rank == 1:  # of its own rows: found while it trains
        y[:] = 5

    class Killing(fastnn.Callback):
        def on_epoch_end(self, run):
            if fault == "callback" and run.epoch == 2:
                raise OSError("no space left on the device")
            if fault == "kill" and run.epoch == 3:
                os.kill(os.getpid(), 9)

    history = trainer.fit(
        x, y, epochs=epochs, batch_size=64, seed=1, progress=False, validation_data=(x[:50], y[:50]),
        callbacks=[Killing()], **arguments,
    )
    records = [{name: value for name, value in row.items() if name != "seconds"} for row in history.rows]
    arrays = [array.tobytes() for array in net.state_dict().values()]
    return hashlib.sha256(repr(records).encode() + b"".join(arrays)).hexdigest()
"""
RUN = """
from mpi4py import MPI
fault, *path = sys.argv[1:]
more = {"checkpoint": path[0], "checkpoint_every": 1, "resume": True} if path else {}
print(train(MPI.COMM_WORLD, fault, **more))
"""


@pytest.fixture(scope="module")
def right():
    """The hash of a run in one process, without mpi4py."""
    names = {}
    exec(SCRIPT, names)
    return names["train"](None)


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_ranks_have_the_bits_of_one_process(tmp_path, right, ranks):
    out, _ = launched(tmp_path, SCRIPT + RUN, "-n", str(ranks), "none")
    assert "".join(out.split()) == right * ranks  # lines of ranks may meet


def test_threads_change_no_bit(tmp_path, right):
    out, _ = launched(tmp_path, SCRIPT + RUN, "-n", "2", "none", environment={"FASTNN_NUM_THREADS": "3"})
    assert "".join(out.split()) == right * 2


def test_a_long_gradient_is_added_in_parts_with_the_bits_of_one_process(tmp_path):
    script = SCRIPT.replace("128", "200")
    names = {}
    exec(script, names)
    out, _ = launched(tmp_path, script + RUN.replace("**more", "1"), "-n", "4", "none")
    assert "".join(out.split()) == names["train"](None, epochs=1) * 4


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("columns", "rank 1 of 3: Traceback"),
        ("label", "ranks must have the same y: rank 1 has other values than rank 0 (int64 of shape (301,))"),
        ("callback", "OSError: no space left on the device"),
    ],
)
def test_an_error_on_one_rank_ends_all_with_its_message(tmp_path, fault, message):
    out, said = launched(tmp_path, SCRIPT + RUN, "-n", "3", fault, code=1)
    assert message in said and said.count("Traceback") == 1 and not out.strip()


def test_a_run_whose_rank_was_killed_is_resumed_with_the_same_bits(tmp_path, right):
    path = str(tmp_path / "run.safetensors")
    out, said = launched(tmp_path, SCRIPT + RUN, "-n", "2", "kill", path, code=9)
    assert "Killed" in out + said
    for ranks in (3, 1):  # and once more: there is nothing left to do
        out, _ = launched(tmp_path, SCRIPT + RUN, "-n", str(ranks), "none", path)
        assert "".join(out.split()) == right * ranks  # lines of ranks may meet


def test_the_hash_sees_what_it_should(right):
    names = {}
    exec(SCRIPT, names)
    assert names["train"](None) == right != names["train"](None, epochs=5)
    assert len(right) == hashlib.sha256().digest_size * 2
