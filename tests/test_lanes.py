"""Predictions that threads share, and threads that predict with one network at the same time: the same bits always."""

import copy
import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastnn
from fastnn import nn
from fastnn._core import threads
from fastnn.testing.measure import assert_same_bits

NETWORKS = {
    "plain": lambda: [nn.Linear(6, 40), nn.ReLU(), nn.Linear(40, 70), nn.Tanh(), nn.Linear(70, 3), nn.Softmax()],
    "norms": lambda: [nn.Linear(6, 16), nn.BatchNorm1d(16), nn.SiLU(), nn.LayerNorm(16), nn.RMSNorm(16), nn.Dropout()],
    "joined": lambda: [
        nn.Residual(nn.Linear(6, 6), nn.GELU()), nn.Concat(nn.Linear(6, 5), nn.Linear(6, 9)), nn.GLU()
    ],
    "nothing": lambda: [nn.Dropout(0.5)],
    "python": lambda: [nn.Linear(6, 4), Doubled()],
}  # fmt: skip
ROWS = (1, 47, 48, 49, 512, 513, 1000, 5000)


class Doubled(nn.Module):
    def forward(self, x):
        return 2 * x

    def backward(self, grad_output):
        return 2 * grad_output


@pytest.fixture
def shared():
    """Even small work is shared."""
    threads.set_worth(0)
    yield
    threads.set_worth()
    fastnn.set_num_threads(threads.default_num_threads()[0])


def make(name, dtype="float32"):
    net = nn.Sequential(*NETWORKS[name](), seed=0, dtype=dtype)
    net(np.random.default_rng(1).standard_normal((20, 6)).astype(dtype))  # running statistics
    return net.eval()


def inputs(rows, dtype="float32"):
    return np.random.default_rng(rows).standard_normal((rows, 6)).astype(dtype)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_bits_for_any_number_of_threads_and_rows(name, dtype, shared):
    net, x = make(name, dtype), inputs(max(ROWS), dtype)
    fastnn.set_num_threads(1)
    expected = np.concatenate([net.predict(x[i : i + 100]) for i in range(0, len(x), 100)])
    for n in (1, 2, 3, 5):
        fastnn.set_num_threads(n)
        for rows in ROWS:
            assert_same_bits(net.predict(x[:rows]), expected[:rows])
            assert_same_bits(net(x[:rows]), expected[:rows])
    assert_same_bits(copy.deepcopy(net).predict(x), expected)


def test_narrow_inputs(shared, monkeypatch):
    monkeypatch.setattr("fastnn.nn.passes.CONVERTED", 6 * 700)
    net = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), seed=0, input_scale=0.5)
    x = np.random.default_rng(0).integers(0, 255, (3000, 6), "uint8")
    fastnn.set_num_threads(2)
    assert_same_bits(net.predict(x), net.predict(x * np.float32(0.5)))


@pytest.mark.parametrize("name", NETWORKS)
def test_threads_that_predict_at_the_same_time(name, shared):
    net = make(name)
    xs = [inputs(rows) for rows in (3, 700, 48, 2000, 1, 300, 100, 5000)]
    expected = [net.predict(x) for x in xs]
    for n in (1, 2):
        fastnn.set_num_threads(n)
        with ThreadPoolExecutor(len(xs)) as pool:
            for _ in range(20):
                for y, e in zip(pool.map(net.predict, xs), expected, strict=True):
                    assert_same_bits(y, e)


def test_weights_that_change_are_seen(shared):
    net, x = make("plain"), inputs(3000)
    fastnn.set_num_threads(2)
    before = net.predict(x)
    net[4].weight[...] *= 2
    net[4].bias[...] += 1
    after = net.predict(x)
    assert (after != before).any()
    assert_same_bits(after, np.concatenate([net.predict(x[i : i + 500]) for i in range(0, 3000, 500)]))


def test_the_first_bad_row_is_named(shared):
    net = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2), seed=0)
    x = np.zeros((6000, 1), "float32")
    x[[5999, 4321, 3001]] = 10
    for n in (1, 2, 3):
        fastnn.set_num_threads(n)
        for _ in range(5):
            with pytest.raises(ValueError, match=r"x\[3001, 0\] is 10"):
                net.predict(x)
    x[[5999, 4321, 3001]] = 9
    assert np.isfinite(net.predict(x)).all()


def _predicted(net, x, results):
    results.put(net.predict(x).tobytes())


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork")
def test_a_forked_child_predicts_with_lanes_of_its_own(shared):
    net, x, context = make("plain"), inputs(3000), multiprocessing.get_context("fork")
    fastnn.set_num_threads(2)
    expected, results = net.predict(x).tobytes(), context.Queue()
    with ThreadPoolExecutor(4) as pool:
        busy = [pool.submit(net.predict, x) for _ in range(50)]
        child = context.Process(target=_predicted, args=(net, x, results))
        child.start()
        assert results.get(timeout=20) == expected
        child.join(20)
        assert all(job.result().tobytes() == expected for job in busy)
