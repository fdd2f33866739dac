"""Layers in general: their parameters and initial values, and layers written in Python."""

import numpy as np
import pytest

import fastnn
from fastnn import nn
from fastnn.testing.measure import assert_same_bits
from support.layers import assert_network_gradients, draw, in_both_backends
from test_trajectories import explicit_step


def test_initial_values_depend_only_on_the_seed_and_the_place():
    one = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2), seed=5)
    other = nn.Sequential(nn.Sequential(nn.Linear(3, 4, seed=1), nn.Dropout()), nn.Linear(4, 2, seed=2), seed=5)
    for (_, view), (_, again) in zip(one.named_parameters(), other.named_parameters(), strict=True):
        assert_same_bits(view, again)
    assert (one["0.weight"].ravel()[:8] != one["2.weight"].ravel()).all()


def test_a_trained_network_keeps_its_weights_in_another():
    inner = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2), seed=0)
    inner["0.bias"][0] = 9
    values = inner.state_dict()
    net = nn.Sequential(inner, nn.Linear(2, 2), seed=1)
    for name, value in values.items():
        assert_same_bits(net[f"0.{name}"], value)


def test_a_layer_used_alone_keeps_its_weights_in_a_network():
    layer = nn.Linear(2, 3, seed=0)
    weight = layer.weight.copy()
    net = nn.Sequential(layer, nn.ReLU(), seed=1, dtype="float64")
    np.testing.assert_array_equal(net["0.weight"], weight)
    layer.weight = np.ones((2, 3))
    np.testing.assert_array_equal(net["0.weight"], 1)
    np.testing.assert_allclose(layer(np.ones((1, 2)))[0], 2 + layer.bias)


class Scale(nn.Module):
    """The example of Module's docstring."""

    def __init__(self, factor=1.5):
        super().__init__()
        self.add_parameter("factor", (1,), init=factor)

    def forward(self, x):
        self.x = x.copy()
        return self["factor"] * x

    def backward(self, grad_output):
        self.gradient("factor")[...] += (grad_output * self.x).sum()
        return self["factor"] * grad_output


class WithSquares(nn.Module):
    """[x, x^2]: a layer that changes the number of features, and has no parameters."""

    def out_features_for(self, in_features):
        return 2 * in_features

    def forward(self, x):
        self.x = x.copy()
        self.trained = self.training
        return np.concatenate([x, x * x], axis=1)

    def backward(self, grad_output):
        linear, square = np.split(grad_output, 2, axis=1)
        return linear + 2 * self.x * square


def make_python_network(p=0.3):
    layers = [Scale(), nn.Linear(3, 4), WithSquares(), nn.Dropout(p), nn.Linear(8, 2), Scale(0.5), nn.Sigmoid()]
    return nn.Sequential(*layers, seed=0, dtype="float64")


def test_a_python_layer_alone(backend, rng):
    layer, x, upstream = Scale(), draw(rng, (4, 3), "float32"), draw(rng, (4, 3), "float32")
    assert_same_bits(layer(x), np.float32(1.5) * x)
    assert_same_bits(layer.backward(upstream), np.float32(1.5) * upstream)
    np.testing.assert_allclose(layer.gradient("factor"), (upstream * x).sum(), rtol=1e-5)
    with pytest.raises(KeyError, match="Scale has no parameter 'weight'"):
        layer["weight"]
    assert layer.array("weight") is None


def test_python_layers_in_a_network_have_the_gradients_of_central_differences(backend, rng):
    net = make_python_network(p=0.0)
    assert_network_gradients(net, draw(rng, (4, 3)), rng)


def train_python_network(step, x, y):
    """The losses of five steps, then some parameters."""
    net = make_python_network()
    trainer = fastnn.Trainer(net, nn.MSELoss(), fastnn.optim.Adam(net.parameters(), lr=0.1))
    losses = [step(trainer, x, y) for _ in range(5)]
    return np.array([*losses, *net["0.factor"], *net["5.factor"], *net["4.weight"].ravel()])


def test_python_layers_train_like_others(rng):
    """In the trainer and in a loop of one's own, on both backends."""
    x, y = draw(rng, (16, 3)), rng.random((16, 2))
    native, reference = in_both_backends(lambda: train_python_network(fastnn.Trainer.step, x, y))
    np.testing.assert_allclose(native, reference, rtol=1e-9)
    assert native[4] < native[0]
    assert native[5] != 1.5
    native_loop, reference_loop = in_both_backends(lambda: train_python_network(explicit_step, x, y))
    assert_same_bits(native_loop, native)
    np.testing.assert_allclose(reference_loop, reference, rtol=1e-9)


def test_a_python_layer_knows_whether_the_network_trains(backend, rng):
    net, x = nn.Sequential(WithSquares()), draw(rng, (4, 3), "float32")
    for run, trains in ((net.train(), True), (net.predict, False), (net, True)):
        assert run(x).shape == (4, 6)
        assert net[0].trained is trains
    net.eval()(x)
    assert net[0].trained is False


class Mine(Exception):
    """An error of the user's."""


class Faulty(nn.Module):
    """Does what it is told to in forward and backward."""

    def __init__(self, forward=lambda x: x, backward=lambda g: g):
        super().__init__()
        self.add_parameter("w", (2,), init=1.0)
        self.forward, self.backward = forward, backward


def failing(error):
    def fail(array):
        raise error

    return fail


WRONG = Mine("my own")
FAULTS = [
    ({"forward": failing(WRONG)}, Mine, "my own"),
    ({"backward": failing(WRONG)}, Mine, "my own"),
    ({"forward": lambda x: x[:, 1:]}, ValueError, r"1 Faulty: forward must return shape \(4, 3\), got \(4, 2\)"),
    ({"forward": lambda x: None}, ValueError, r"1 Faulty: forward must return shape \(4, 3\), got \(\)"),
    ({"backward": lambda g: g.T}, ValueError, r"1 Faulty: backward must return shape \(4, 3\), got \(3, 4\)"),
    ({"backward": lambda g: 1.0}, ValueError, r"1 Faulty: backward must return shape \(4, 3\), got \(\)"),
]


@pytest.mark.parametrize(("methods", "error", "message"), FAULTS)
def test_errors_in_a_python_layer_arrive_and_leave_the_parameters(methods, error, message, backend, rng):
    net = nn.Sequential(nn.Linear(2, 3), Faulty(**methods), nn.Linear(3, 2), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), fastnn.optim.Adam(net.parameters()))
    x, y = draw(rng, (4, 2), "float32"), draw(rng, (4, 2), "float32")
    before, state = net.parameters().data.copy(), trainer.optimizer.state_dict()
    runs = [lambda: trainer.step(x, y), lambda: trainer.fit(x, y, batch_size=4), lambda: net.backward(net(x))]
    if "forward" in methods:
        runs += [lambda: net.predict(x), lambda: trainer.evaluate(x, y)]
    for run in runs:
        with pytest.raises(error, match=message) as caught:
            run()
        assert error is not Mine or caught.value is WRONG
        assert_same_bits(net.parameters().data, before)
    assert trainer.optimizer.state_dict()["step"] == state["step"] == 0
    assert not trainer.optimizer.states["exp_avg"].any()


def test_a_layer_must_have_a_forward_and_without_backward_is_traced(backend):
    class OnlyForward(nn.Module):
        def forward(self, x):
            return x

    x = np.ones((2, 2), "float32")
    with pytest.raises(NotImplementedError, match=r"Module must define forward\(x\)"):
        nn.Module()(x)
    net = nn.Sequential(nn.Linear(2, 2), OnlyForward())
    assert_same_bits(net.predict(x), net[0](x))
    net(x)
    np.testing.assert_allclose(net.backward(x), x @ net["0.weight"].T, rtol=1e-6)


def test_a_layer_without_parameters_takes_either_dtype_alone():
    for layer in (nn.ReLU(), nn.Dropout(0.5).eval(), nn.Softmax(), nn.Residual(nn.Tanh())):
        for dtype in ("float32", "float64", "float32"):
            x = np.linspace(-1, 1, 6, dtype=dtype).reshape(2, 3)
            assert layer(x).dtype == dtype
            if not isinstance(layer, nn.Dropout):
                assert layer.backward(np.ones_like(layer(x))).dtype == dtype
