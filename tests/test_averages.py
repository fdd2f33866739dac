"""Averages of the weights: exponential and equal, in the compiled loop and in loops of one's own."""

import pickle

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.torch_runs import STEPS, TORCH, WAYS, torch_network, torch_trainer, values

X, Y = TORCH["x"], TORCH["y"]
AVERAGES = {
    "EMA": lambda params, **options: optim.ExponentialMovingAverage(params, 0.9, **options),
    "SWA": optim.WeightAverage,
}
TOLERANCE = {"EMA": 1e-12, "SWA": 1e-6}  # PyTorch has 1 / (n + 1) in float32
EVERY_AVERAGE = pytest.mark.parametrize("kind", AVERAGES)
EVERY_WAY = pytest.mark.parametrize("step", WAYS.values(), ids=WAYS)


def make(kind, **options):
    trainer = torch_trainer("SGD", momentum=0.0, weight_decay=0.0)
    trainer.average = AVERAGES[kind](trainer.net.parameters(), **options)
    return trainer


@EVERY_WAY
@EVERY_AVERAGE
def test_averages_follow_torch(kind, step, backend):
    trainer = make(kind)
    for _ in range(STEPS):
        step(trainer, X, Y)
    weights = values(trainer.net)
    with trainer.average.applied():
        np.testing.assert_allclose(values(trainer.net), TORCH[kind], rtol=TOLERANCE[kind])
        applied, scores = trainer.net.predict(X), trainer.evaluate(X, Y)
    assert scores["loss"] != trainer.evaluate(X, Y)["loss"]
    assert_same_bits(values(trainer.net), weights)
    assert np.abs(applied - trainer.net.predict(X)).max() > 1e-3
    assert trainer.average.n_averaged == STEPS
    trainer.average.copy_to()
    np.testing.assert_allclose(values(trainer.net), TORCH[kind], rtol=TOLERANCE[kind])


@EVERY_AVERAGE
def test_start_and_every(kind, backend):
    """Until it begins, the average is the weights as they are."""
    trainer, history = make(kind, start=3, every=2), []
    for i in range(8):
        trainer.step(X, Y)
        history.append(values(trainer.net))
        with trainer.average.applied():
            if i < 4:
                assert_same_bits(values(trainer.net), history[min(i, 3)])
    first, second, third = history[3], history[5], history[7]
    expected = 0.81 * first + 0.09 * second + 0.1 * third if kind == "EMA" else (first + second + third) / 3
    assert trainer.average.n_averaged == 3
    with trainer.average.applied():
        np.testing.assert_allclose(values(trainer.net), expected, rtol=1e-12)


@EVERY_AVERAGE
def test_one_update_of_the_average_an_update(kind, dtype, backend):
    """In fit, with batches accumulated, too."""
    net = nn.Sequential(nn.Linear(3, 4), seed=0, dtype=dtype.name)
    average = AVERAGES[kind](net.parameters())
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1), average=average)
    x, y = X.astype(dtype), Y.astype(dtype)
    trainer.fit(x, y, epochs=2, batch_size=3)
    assert average.seen == 8
    trainer.fit(x, y, epochs=1, batch_size=3, accumulate=2)
    assert average.seen == 10
    assert "average" in str(trainer.compile(4))


@EVERY_AVERAGE
def test_state_goes_on_bit_for_bit(kind, backend):
    trainer, twin = make(kind, start=1), make(kind, start=1)
    for _ in range(4):
        trainer.step(X, Y)
    twin.net.load_state_dict(trainer.net.state_dict())
    twin.optimizer.load_state_dict(trainer.optimizer.state_dict())
    state = pickle.loads(pickle.dumps(trainer.average.state_dict()))
    twin.average.load_state_dict(state)
    state["data"][...] = 99
    for t in (trainer, twin):
        t.step(X, Y)
    assert_same_bits(trainer.average.data, twin.average.data)
    other = make(kind, start=2).average.state_dict()
    for wrong, error in (
        (other, ValueError),
        (state | {"data": state["data"][:3]}, ValueError),
        (state | {"data": state["data"].astype("float32")}, TypeError),
        (state | {"seen": -1}, ValueError),
        ({"seen": 3}, ValueError),
        (None, TypeError),
    ):
        before = repr(twin.average.state_dict())
        with pytest.raises(error):
            twin.average.load_state_dict(wrong)
        assert repr(twin.average.state_dict()) == before


def test_an_average_that_is_applied_stays_out_of_training(backend):
    trainer = make("EMA")
    trainer.step(X, Y)
    average = trainer.average
    with average.applied():
        for call in (lambda: trainer.step(X, Y), average.update, average.copy_to, average.state_dict):
            with pytest.raises(RuntimeError, match="the average is applied"):
                call()
        with pytest.raises(RuntimeError, match="the average is applied"), average.applied():
            pass
        trainer.net.predict(X)
    weights = values(trainer.net)
    with pytest.raises(KeyError), average.applied():
        raise KeyError
    assert_same_bits(values(trainer.net), weights)
    trainer.step(X, Y)


def test_lbfgs_is_averaged(backend):
    net = torch_network()
    average = optim.SWA(net.parameters())
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.LBFGS(net.parameters(), max_iter=2), average=average)
    history = []
    for _ in range(3):
        trainer.step(X, Y)
        history.append(values(net))
    with average.applied():
        np.testing.assert_allclose(values(net), np.mean(history, axis=0), rtol=1e-12)


def test_averages_can_be_copied_to_another_network(backend):
    trainer, other = make("SWA"), torch_network()
    trainer.step(X, Y)
    trainer.average.copy_to(other.parameters())
    assert_same_bits(values(other), values(trainer.net))
    with pytest.raises(ValueError, match="params must be those of a network like this one"):
        trainer.average.copy_to(nn.Sequential(nn.Linear(3, 6)).parameters())


def test_wrong_arguments():
    net = torch_network()
    params = net.parameters()
    for call, error, message in (
        (lambda: optim.SWA(net), TypeError, r"params must be net.parameters\(\), got Sequential"),
        (lambda: optim.SWA(params, start=-1), ValueError, "start must be at least 0, got -1"),
        (lambda: optim.SWA(params, every=0), ValueError, "every must be at least 1, got 0"),
        (lambda: optim.ExponentialMovingAverage(params, 1.5), ValueError, "decay must be at least 0.0 and at most 1.0"),
    ):
        with pytest.raises(error, match=message):
            call()
    trainer = torch_trainer("SGD", net)
    for bad, error, message in (
        (optim.SWA(torch_network().parameters()), ValueError, "average must be made from this network"),
        (optim.SWA, TypeError, "average must be an average of fastnn.optim, got type"),
    ):
        with pytest.raises(error, match=message):
            trainer.average = bad
    assert repr(optim.SWA(params, start=3)) == "WeightAverage(start=3, every=1)"
    assert repr(optim.ExponentialMovingAverage(params)) == "ExponentialMovingAverage(decay=0.999, start=0, every=1)"
