"""Programs: the operations they list, how they are printed, and their size."""

import contextlib
import time

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.layers import draw
from test_network import make_network
from test_robustness import make


def sections_of(text):
    return [line[:-1] for line in text.splitlines() if line.endswith(":")]


def test_a_program_lists_its_operations():
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 10), seed=0)
    text = str(net.compile(batch_size=32))
    assert text.startswith("Program for 32 rows, float32: ")
    for expected in ("0 Linear + 1 ReLU", "64 -> 128", "2 Dropout", "128 -> 10", "linear_backward"):
        assert expected in text
    assert sections_of(text) == ["forward", "backward"]
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    trainer.step(np.ones((4, 64), "float32"), np.arange(4))
    step = trainer.compile(batch_size=4)
    assert sections_of(str(step)) == ["forward", "loss", "backward", "update"]
    assert "CrossEntropyLoss + gradient" in str(step)
    assert "Adam, all parameters at once" in str(step)


def test_the_gradient_of_an_activation_is_part_of_the_product_behind_it():
    program = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8)).compile(4)
    start, stop = program.sections["backward"]
    kinds = [operation.kind for operation in program.operations[start:stop]]
    assert kinds == ["linear_backward", "linear_backward", "copy"]
    assert program.operations[start].label == "2 Linear + gradient of 1 ReLU"
    assert program.operations[start].flops(1) == 2 * 2 * 8 * 8
    assert program.workspace > 0


def test_compile_needs_the_number_of_features():
    net = nn.Sequential(nn.Tanh())
    with pytest.raises(ValueError, match="in_features must be given: this network takes any number of features"):
        net.compile()
    assert net.compile(4, in_features=3).n_out == 3
    for wrong in (0, -1):
        with pytest.raises(ValueError, match=f"batch_size must be at least 1, got {wrong}"):
            net.compile(wrong, in_features=3)


def test_programs_grow_with_the_batch(rng):
    """One is kept, and made anew only for more rows."""
    net, x = make_network(), draw(rng, (50, 5), "float32")
    small = net.compile(batch_size=10)
    assert net.compile(batch_size=7) is small
    y = net(x)
    large = net.compile(batch_size=8)
    assert large is not small
    assert large.batch_size == 50
    assert_same_bits(net(x[:3]), y[:3])
    assert net.compile(batch_size=50) is large
    trainer = fastnn.Trainer(net, nn.NLLLoss(), optim.SGD(net.parameters(), lr=0.0))
    labels = np.arange(50) % 4
    losses = [trainer.step(x[:rows], labels[:rows]) for rows in (3, 50, 3)]
    expected = [F.nll_loss(y[:rows], labels[:rows]) for rows in (3, 50, 3)]
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


def test_the_program_of_a_step_can_be_printed():
    trainer = make()
    text = str(trainer.compile(batch_size=16))
    for part in (
        "0 Linear + 1 LeakyReLU",
        "CrossEntropyLoss + gradient",
        "Adam, all parameters at once",
        "Dropout",
        "noise",
    ):
        assert part in text


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_rows_without_columns_take_no_time(backend):
    """However many rows: there is nothing to do, and nothing that could be interrupted."""
    x = np.lib.stride_tricks.as_strided(np.empty(0, "float32"), (2**40, 0), (0, 4))
    with fastnn.use_backend(backend):
        for call in (
            lambda: F.softmax(x),
            lambda: F.softmax_backward(x, x),
            lambda: F.linear(x, np.empty((0, 0), "float32")),
            lambda: F.layer_norm(x),
            lambda: F.prelu(x, np.full(1, 0.5, "float32")),
            lambda: F.relu(x),
            lambda: F.dropout(x, seed=0),
            lambda: nn.Linear(0, 0)(x),
        ):
            began = time.monotonic()
            with contextlib.suppress(ValueError, MemoryError):
                assert call().shape == (2**40, 0)
            assert time.monotonic() - began < 5
