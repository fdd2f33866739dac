"""Layers: each alone and in a network, their parameters, and layers written in Python."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn
from support.layers import EVERY_ACTIVATION, FROM_OUTPUT, assert_network_gradients, draw, in_both_backends
from support.measure import assert_same_bits
from test_trajectories import explicit_step

# Activations


@EVERY_ACTIVATION
def test_an_activation_alone_is_its_function(case, dtype, backend, rng):
    layer_class, name, keywords = case
    layer, x, upstream = layer_class(**keywords), draw(rng, (7, 5), dtype), draw(rng, (7, 5), dtype)
    y = getattr(F, name)(x, **keywords)
    assert_same_bits(layer(x), y)
    assert_same_bits(layer.eval()(x), y)
    layer.train()(x)
    takes = y if name in FROM_OUTPUT else x
    assert_same_bits(layer.backward(upstream), getattr(F, f"{name}_backward")(upstream, takes, **keywords))


@EVERY_ACTIVATION
def test_an_activation_between_products_is_its_function(case, dtype, backend, rng):
    """It is part of the product before it, its gradient part of the one behind it: the bits are the same."""
    layer_class, name, keywords = case
    net = nn.Sequential(nn.Linear(3, 5), layer_class(**keywords), nn.Linear(5, 2), seed=0, dtype=dtype)
    x, upstream = draw(rng, (7, 3), dtype), draw(rng, (7, 2), dtype)
    z = F.linear(x, net["0.weight"], net["0.bias"])
    h = getattr(F, name)(z, **keywords)
    y = F.linear(h, net["2.weight"], net["2.bias"])
    assert_same_bits(net(x), y)
    assert_same_bits(net.predict(x), y)
    grad_h, *last = F.linear_backward(upstream, h, net["2.weight"])
    grad_z = getattr(F, f"{name}_backward")(grad_h, h if name in FROM_OUTPUT else z, **keywords)
    grad_x, *first = F.linear_backward(grad_z, x, net["0.weight"])
    np.testing.assert_array_equal(net.backward(upstream), grad_x)
    for (_, gradient), expected in zip(net.named_gradients(), first + last, strict=True):
        np.testing.assert_array_equal(gradient, expected)


@EVERY_ACTIVATION
def test_an_activation_has_the_gradient_of_central_differences(case, backend, rng):
    x = draw(rng, (4, 3))
    for kink in (-3, -0.5, 0, 0.7, 1.5, 3, 6):
        x[np.abs(x - kink) < 1e-3] += 0.01
    assert_network_gradients(nn.Sequential(case[0](**case[2]), dtype="float64"), x, rng)


def test_softmax_takes_the_features_of_a_network():
    assert_same_bits(nn.Softmax(dim=1)(np.eye(2)), nn.Softmax(dim=-1)(np.eye(2)))
    with pytest.raises(ValueError, match="dim must be -1 or 1 in a network, got 0"):
        nn.LogSoftmax(dim=0)


@pytest.mark.parametrize("layer", [nn.Softmax, nn.LogSoftmax])
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5), (4, 3, 0)])
def test_softmax_obeys_dim(layer, shape, dtype, backend, rng):
    x, g = (rng.normal(size=shape).astype(dtype) for _ in range(2))
    forward, backward = (getattr(F, layer.kernel + suffix) for suffix in ("", "_backward"))
    for dim in (1, -1):
        along = layer(dim, temperature=0.5)
        y = along(x)
        expected = forward(x, dim, 0.5)
        np.testing.assert_allclose(y, expected, rtol=1e-5)
        assert (y.shape, y.dtype) == (shape, dtype)
        np.testing.assert_allclose(along.backward(g), backward(g, expected, dim, 0.5), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("layer", [nn.Softmax, nn.LogSoftmax])
def test_softmax_of_dim_1_in_a_network_takes_matrices(layer, backend):
    net = nn.Sequential(nn.Linear(3, 4), nn.Sequential(layer(dim=1)), seed=0)
    x = np.zeros((2, 5, 3), "float32")
    for function in (net, net.predict):
        with pytest.raises(ValueError, match=r"dim=1 means the features .* x has shape \(2, 5, 3\): take dim=-1"):
            function(x)
    assert net(x[0]).shape == (5, 4)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(15, 4), layer(dim=1), seed=0)
    assert flat(x).shape == (2, 4)
    assert nn.Sequential(nn.Linear(3, 4), layer(), seed=0)(x).shape == (2, 5, 4)
    with pytest.raises(ValueError, match=r"dim=1 is out of range for x of shape \(3,\)"):
        layer(dim=1)(np.zeros(3))


# Linear


def test_linear_alone_is_its_function(dtype, backend, rng):
    layer = nn.Linear(2, 3, seed=0, dtype=dtype.name)
    x, upstream = draw(rng, (4, 5, 2), dtype), draw(rng, (4, 5, 3), dtype)
    assert_same_bits(layer(x), F.linear(x, layer.weight, layer.bias))
    grad_x, grad_weight, grad_bias = F.linear_backward(upstream, x, layer.weight)
    assert_same_bits(layer.backward(upstream), grad_x)
    np.testing.assert_array_equal(layer.gradient("weight"), grad_weight)
    np.testing.assert_array_equal(layer.gradient("bias"), grad_bias)
    assert_network_gradients(nn.Sequential(nn.Linear(2, 3), dtype="float64", seed=0), draw(rng, (4, 2)), rng)


def test_linear_starts_from_its_seed(dtype):
    """Uniform within 1 / sqrt(in_features), and the same on any machine and in either dtype."""
    first, second, other = (nn.Linear(9, 40, seed=seed, dtype=dtype.name) for seed in (0, 0, 1))
    assert_same_bits(first.weight, second.weight)
    assert_same_bits(first.bias, second.bias)
    assert (first.weight != other.weight).mean() > 0.99
    assert first.weight.shape == (9, 40)
    assert first.bias.shape == (40,)
    values = np.concatenate([first.weight.ravel(), first.bias])
    assert np.abs(values).max() <= 1 / 3
    np.testing.assert_allclose([values.mean(), values.std()], [0, 3**-1.5], atol=0.02)
    np.testing.assert_allclose(first.weight[0, :3], [0.07736879, 0.1124853, 0.0011458], rtol=1e-5)


def test_linear_without_bias(backend, rng):
    layer, x = nn.Linear(3, 2, bias=False, seed=0, dtype="float64"), draw(rng, (4, 3))
    assert layer.bias is None
    assert layer.gradient("bias") is None
    np.testing.assert_allclose(layer(x), x @ layer.weight, rtol=1e-13)
    net = nn.Sequential(nn.Linear(3, 2, bias=False), nn.Tanh(), nn.Linear(2, 2, bias=False), seed=0, dtype="float64")
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "2.weight"]
    assert_network_gradients(net, x, rng)


def test_weight_and_bias_can_be_assigned():
    layer = nn.Linear(2, 2)
    layer.weight, layer.bias = [[1, 2], [3, 4]], np.array([10, 20])
    np.testing.assert_array_equal(layer(np.ones((1, 2), "float32")), [[14, 26]])
    with pytest.raises(ValueError, match="broadcast"):
        layer.weight = np.zeros((3, 2))


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


# Flatten and Dropout


def test_flatten_makes_rows_of_samples(rng):
    images, upstream = draw(rng, (5, 2, 3, 4)), draw(rng, (5, 2))
    net = nn.Sequential(nn.Flatten(), nn.Linear(24, 2), nn.Flatten(), seed=0, dtype="float64")
    flat = images.reshape(5, 24)
    y = F.linear(flat, net["1.weight"], net["1.bias"])
    assert_same_bits(net(images), y)
    assert_same_bits(net.predict(images), y)
    grad_x = F.linear_backward(upstream, flat, net["1.weight"])[0]
    assert_same_bits(net.backward(upstream), grad_x.reshape(images.shape))
    alone = nn.Flatten()
    assert_same_bits(alone(images), flat)
    assert_same_bits(alone.backward(flat), images)


def masks(n_passes=3, p=0.3, shape=(40, 50), dtype="float32"):
    """What dropout makes of ones in some training passes, and of their gradients."""
    net = nn.Sequential(nn.ReLU(), nn.Dropout(p), seed=7, dtype=dtype)
    ones = np.ones(shape, dtype)
    return np.array([[net(ones), net.backward(ones)] for _ in range(n_passes)])


def test_dropout_drops_and_scales(backend, dtype):
    passes = masks(dtype=dtype)
    forward, backward = passes[:, 0], passes[:, 1]
    np.testing.assert_array_equal(forward, backward)
    np.testing.assert_array_equal(np.unique(forward), [0, dtype.type(1 / 0.7)])
    np.testing.assert_allclose((forward == 0).mean(axis=(1, 2)), 0.3, atol=0.04)
    for first, second in ((0, 1), (1, 2), (0, 2)):
        assert 0.3 < (forward[first] != forward[second]).mean() < 0.54  # 2 p (1 - p) = 0.42 where they are independent


def test_dropout_has_one_mask_for_all_backends_threads_and_instruction_sets(isas, cut_small_work, dtype):
    native, reference = in_both_backends(lambda: masks(dtype=dtype))
    assert_same_bits(native, reference)
    for name in isas:
        fastnn.set_isa(name)
        for threads in (1, 2, 3, 5):
            fastnn.set_num_threads(threads)
            assert_same_bits(masks(dtype=dtype), native)
    assert_same_bits(masks(shape=(8, 50), dtype=dtype), native[:, :, :8])


def test_dropout_of_two_layers_differs():
    net = nn.Sequential(nn.Dropout(), nn.Linear(50, 50, bias=False), nn.Dropout(), seed=0)
    net[1].weight = np.eye(50)
    ones = np.ones((40, 50), "float32")
    assert (net(ones) != 0).mean() == pytest.approx(0.25, abs=0.05)


def test_dropout_at_the_ends_and_in_inference(backend):
    x = np.array([[1.0, -2.0, np.nan, np.inf]], "float32")
    assert_same_bits(nn.Dropout(0.0)(x), x)
    np.testing.assert_array_equal(nn.Dropout(1.0)(x), np.zeros((1, 4)))
    assert_same_bits(nn.Dropout(0.5).eval()(x), x)
    net = nn.Sequential(nn.Dropout(0.9), seed=0)
    assert_same_bits(net.predict(x), x)
    assert_same_bits(net.eval()(x), x)


# Layers written in Python


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


def test_a_python_layer_must_have_both_methods(backend):
    class OnlyForward(nn.Module):
        def forward(self, x):
            return x

    x = np.ones((2, 2), "float32")
    with pytest.raises(NotImplementedError, match=r"Module must define forward\(x\)"):
        nn.Module()(x)
    net = nn.Sequential(nn.Linear(2, 2), OnlyForward())
    assert_same_bits(net.predict(x), net[0](x))
    with pytest.raises(NotImplementedError, match=r"OnlyForward must define backward\(grad_output\)"):
        net.backward(net(x))
