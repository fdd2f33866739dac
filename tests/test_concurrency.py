"""Threads that use something for the first time together get what one gets; each has a backend of its own."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim

THREADS = 8


@pytest.fixture
def busy():
    """Threads take turns all the time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(function, n=THREADS):
    """What function(i) returns in n threads that begin at once."""
    gate = threading.Barrier(n)

    def run(i):
        gate.wait()
        return function(i)

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(run, range(n)))


def on(backend, function):
    def run(i):
        with fastnn.use_backend(backend):
            return function(i)

    return run


BOTH = pytest.mark.parametrize("name", ["native", "reference"])


def fresh(dtype):
    layers = [nn.Linear(6, 16), nn.LayerNorm(16), nn.Tanh(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3)]
    return nn.Sequential(*layers, seed=1, dtype=dtype)


@BOTH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_first_predictions_together(busy, name, dtype):
    xs = [np.random.default_rng(i).standard_normal((5 + i, 6)).astype(dtype) for i in range(THREADS)]
    with fastnn.use_backend(name):
        right = [fresh(dtype).predict(x) for x in xs]
    for _ in range(25):
        net = fresh(dtype)
        for i, y in enumerate(together(on(name, lambda i, net=net: [net.predict(xs[i]) for _ in range(3)]))):
            for again in y:
                np.testing.assert_array_equal(again, right[i])


@BOTH
@pytest.mark.parametrize("make", [nn.ReLU, lambda: nn.Linear(6, 4, seed=0), lambda: nn.BatchNorm1d(6), nn.Softmax])
def test_first_calls_of_a_layer_together(busy, name, make):
    xs = [np.random.default_rng(i).standard_normal((4, 6)).astype("float32") for i in range(THREADS)]
    with fastnn.use_backend(name):
        right = [make()(x) for x in xs]
    for _ in range(25):
        layer = make()
        for i, y in enumerate(together(on(name, lambda i, layer=layer: layer(xs[i])))):
            np.testing.assert_array_equal(y, right[i])


@BOTH
def test_one_python_loss_and_one_trainer_in_several_threads(busy, name):
    """Each evaluation sees its own targets, whether the loss or all of the trainer is shared."""
    loss = lambda y_pred, y: (float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y.size)  # noqa: E731
    shared = nn.python_loss.PythonLoss(loss)

    def trainer():
        net = nn.Sequential(nn.Linear(2, 1), seed=0)
        return fastnn.Trainer(net, shared, optim.SGD(net.parameters(), lr=0.0))

    x = np.ones((9, 2), "float32")
    ys = [np.full((9, 1), i, "float32") for i in range(THREADS)]
    for trainers in ([trainer() for _ in range(THREADS)], [trainer()] * THREADS):
        right = [trainers[0].evaluate(x, y)["loss"] for y in ys]

        def scores(i, trainers=trainers):
            return [trainers[i].evaluate(x, ys[i], batch_size=4)["loss"] for _ in range(20)]

        found = together(on(name, scores))
        for i, losses in enumerate(found):
            np.testing.assert_allclose(losses, right[i], rtol=1e-6)


def test_heads_of_two_trainers_have_layouts_of_their_own():
    """One loss, whose classes are given as indices here and as probabilities there."""
    heads = nn.Heads(a=nn.Linear(4, 3), b=nn.Linear(4, 2))
    net = nn.Sequential(nn.Linear(4, 4), heads, seed=0)
    loss = nn.HeadsLoss(heads, a=nn.CrossEntropyLoss(), b=nn.MSELoss())
    x, b = np.ones((6, 4), "float32"), np.ones((6, 2), "float32")
    indices, rows = np.arange(6) % 3, np.eye(3, dtype="float32")[np.arange(6) % 3]
    trainers = [fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.0)) for _ in range(2)]
    data = [trainers[0].engine.data(x, {"a": a, "b": b}) for a in (indices, rows)]
    sums = [np.zeros(7), np.zeros(7)]
    for i in (0, 1, 0):  # the programs are made after both targets were prepared
        trainers[i].engine.run("evaluate", data[i], None, 0, 6, 6, sums[i])
    assert sums[0][0] == pytest.approx(sums[1][0], rel=1e-6)


@BOTH
def test_backward_is_of_the_own_call(busy, name):
    net, said = fresh("float64"), set()
    xs = [np.random.default_rng(i).standard_normal((4, 6)) for i in range(THREADS)]
    with fastnn.use_backend(name):
        right = []
        for x in xs:
            right.append((net(x), net.backward(np.ones((4, 3))))[1])

    def run(i):
        done = 0
        for _ in range(30):
            net(xs[i])
            try:
                grad = net.backward(np.ones((4, 3)))
            except RuntimeError as error:
                said.add(str(error).split(":")[1])
                continue
            np.testing.assert_array_equal(grad, right[i])
            done += 1
        return done

    together(on(name, run))
    # Or it has called it and its backward since, so that there is no call left.
    assert said <= {" another thread has called the network since", " net.train(); net(x)"}


def test_a_backend_is_of_its_thread(busy):
    def run(i):
        name = ("native", "reference")[i % 2]
        for _ in range(50):
            with fastnn.use_backend(name):
                assert fastnn.get_backend() == name
                with fastnn.use_backend("native"):
                    assert fastnn.get_backend() == "native"
                assert fastnn.get_backend() == name
        fastnn.use_backend(name)
        return fastnn.get_backend()

    assert together(run) == ["native", "reference"] * (THREADS // 2)
    assert fastnn.get_backend() == "native"


def test_quick_paths_come_back_when_nobody_is_on_the_reference():
    """A thread that ends on the reference is forgotten; other threads compute natively all the same."""
    net, x = fresh("float32"), np.ones((3, 6), "float32")
    right = net.predict(x)
    quick = net._predict
    chosen, over = threading.Event(), threading.Event()

    def run():
        fastnn.use_backend("reference")
        chosen.set()
        over.wait()

    thread = threading.Thread(target=run)
    thread.start()
    chosen.wait()
    assert quick(x) is None
    np.testing.assert_array_equal(net.predict(x), right)
    over.set()
    thread.join()
    np.testing.assert_array_equal(quick(x), right)
