"""What two introductory texts on networks teach, shown here: worked numbers, formulas and demonstrations."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim


@pytest.fixture(params=["native", "reference"], autouse=True)
def backend(request):
    with fastnn.use_backend(request.param):
        yield request.param


# Backpropagation, worked: no biases, sigmoid everywhere, E = sum (target - output)^2 / 2, learning rate 0.5.
# All weights come from the text, and the numbers are rounded as there, to eight decimals.

X, TARGET = np.array([[0.1, 0.2]]), np.array([[0.4, 0.6]])
FIRST = np.array([[0.3, 0.4], [0.25, 0.35]])
SECOND = np.array([[0.45, 0.7], [0.4, 0.6]])
Z, H = [[0.08, 0.11]], [[0.51998934, 0.52747230]]
Z2, O = [[0.44498412, 0.68047592]], [[0.60944600, 0.66384491]]  # noqa: E741
E, PARTS = 0.02397190, [[0.02193381, 0.00203809]]
GRAD_W5, W5 = 0.02592286, 0.43703857


def eight_decimals(actual, expected):
    np.testing.assert_array_equal(np.round(actual, 8), expected)


def half_squared_error(y_pred, y):
    difference = y_pred - y
    return 0.5 * (difference**2).sum(), difference


def weights_after_a_step_by_hand():
    """One step of gradient descent with single functions; checks every number of the text on the way."""
    z = F.linear(X, FIRST)
    h = F.sigmoid(z)
    z2 = F.linear(h, SECOND)
    o = F.sigmoid(z2)
    for actual, expected in ((z, Z), (h, H), (z2, Z2), (o, O), (0.5 * (o - TARGET) ** 2, PARTS)):
        eight_decimals(actual, expected)
    error, grad_o = half_squared_error(o, TARGET)
    eight_decimals(error, E)
    grad_z2 = F.sigmoid_backward(grad_o, o)
    grad_h, grad_second, _ = F.linear_backward(grad_z2, h, SECOND)
    _, grad_first, _ = F.linear_backward(F.sigmoid_backward(grad_h, h), X, FIRST)
    eight_decimals(grad_second[0, 0], GRAD_W5)
    eight_decimals(grad_o[0, 0], 0.20944600)
    eight_decimals(grad_z2[0, 0] / grad_o[0, 0], 0.23802157)
    return FIRST - 0.5 * grad_first, SECOND - 0.5 * grad_second


def worked_network():
    layers = [nn.Linear(2, 2, bias=False), nn.Sigmoid(), nn.Linear(2, 2, bias=False), nn.Sigmoid()]
    net = nn.Sequential(*layers, dtype="float64")
    net["0.weight"][...], net["2.weight"][...] = FIRST, SECOND
    return net


def test_worked_backpropagation():
    """By hand, by the network and by the trainer."""
    first, second = weights_after_a_step_by_hand()
    eight_decimals(second[0, 0], W5)
    net = worked_network()
    eight_decimals(net.predict(X), O)
    trainer = fastnn.Trainer(net, half_squared_error, optim.SGD(net.parameters(), lr=0.5))
    eight_decimals(trainer.step(X, TARGET), E)
    np.testing.assert_allclose(net["0.weight"], first, rtol=1e-14)
    np.testing.assert_allclose(net["2.weight"], second, rtol=1e-14)
    loop = worked_network()
    error, grad = half_squared_error(loop(X), TARGET)
    loop.backward(grad)
    eight_decimals(error, E)
    eight_decimals(dict(loop.named_gradients())["2.weight"][0, 0], GRAD_W5)
    optim.SGD(loop.parameters(), lr=0.5).step()
    np.testing.assert_allclose(loop.parameters().data, net.parameters().data, rtol=1e-14)


# Networks and activations


def test_a_stack_of_linear_layers_equals_one(rng):
    """W3 (W2 (W1 x + b1) + b2) + b3 = W' x + b'; with activations in between it does not."""
    x, zero = rng.normal(size=(100, 5)), np.zeros((1, 5))
    straight = [nn.Linear(5, 7), nn.Linear(7, 3), nn.Linear(3, 4)]
    bent = [nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 3), nn.ReLU(), nn.Linear(3, 4)]
    differences = []
    for layers in (straight, bent):
        net = nn.Sequential(*layers, seed=0, dtype="float64")
        one = nn.Linear(5, 4, dtype="float64")
        one.bias = net.predict(zero)[0]
        one.weight = net.predict(np.eye(5)) - one.bias
        differences.append(np.abs(one(x) - net.predict(x)).max())
    assert differences[0] < 1e-14
    assert differences[1] > 0.1


def test_tanh_is_a_scaled_sigmoid():
    x = np.linspace(-20, 20, 4001)
    np.testing.assert_allclose(F.tanh(x), 2 * F.sigmoid(2 * x) - 1, atol=4e-16)
    np.testing.assert_allclose(F.tanh(x[:2500]), (np.exp(2 * x) - 1)[:2500] / (np.exp(2 * x) + 1)[:2500], rtol=1e-12)


def test_ranges_and_derivatives_of_the_activations():
    x = np.linspace(-6, 6, 240)  # without 0
    ones, below, above = np.ones_like(x), x < 0, x > 0
    sigmoid, tanh = F.sigmoid(x), F.tanh(x)
    assert sigmoid.min() > 0
    assert sigmoid.max() < 1
    np.testing.assert_allclose(F.sigmoid_backward(ones, sigmoid), sigmoid * (1 - sigmoid), rtol=1e-14)
    np.testing.assert_allclose(F.tanh_backward(ones, tanh), 1 - tanh**2, rtol=1e-9)
    np.testing.assert_array_equal(F.relu(x), np.maximum(0, x))
    np.testing.assert_array_equal(F.relu_backward(ones, x), above)
    np.testing.assert_allclose(F.leaky_relu(x, 0.1), np.where(above, x, 0.1 * x), rtol=1e-15)
    np.testing.assert_allclose(F.leaky_relu_backward(ones, x, 0.1), np.where(above, 1, 0.1), rtol=1e-15)
    np.testing.assert_allclose(F.elu(x, 2.0), np.where(above, x, 2 * np.expm1(x)), rtol=1e-14)
    slope = F.elu_backward(ones, x, 2.0)
    assert (slope > 0).all()
    assert (np.diff(slope[below]) > 0).all()


LOGITS = np.array([2.0, -1.0, 0.5, 3.1, 0.0, 2.7, -2.2, 1.3, 1.1, -0.4])


def test_temperature_spreads_softmax():
    """The sum is 1 and the largest the same at every temperature; the entropy rises from 0 to log 10."""
    temperatures = [0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 20.0, 1e4]
    results = [F.softmax(LOGITS, temperature=t) for t in temperatures]
    for t, p in zip(temperatures, results, strict=True):
        assert p.sum() == pytest.approx(1, abs=1e-15)
        assert p.argmax() == LOGITS.argmax()
        np.testing.assert_allclose(p, np.exp(LOGITS / t) / np.exp(LOGITS / t).sum(), rtol=1e-12)
    entropies = [F.entropy(p) for p in results]
    assert (np.diff(entropies) > 0).all()
    assert 0 < entropies[0] < 1e-13
    assert entropies[3] == pytest.approx(-(results[3] * np.log(results[3])).sum(), rel=1e-14)
    assert entropies[-1] == pytest.approx(np.log(10), rel=1e-7)
    np.testing.assert_allclose(results[-1], 0.1, rtol=1e-3)


# Losses


def test_losses_by_their_formulas(rng):
    y_pred, y, p = rng.normal(size=(20, 3)), rng.normal(size=(20, 3)), rng.uniform(0.01, 0.99, size=(20, 3))
    bits, classes = rng.integers(2, size=(20, 3)).astype("float64"), rng.integers(3, size=20)
    probability = np.exp(y_pred) / np.exp(y_pred).sum(axis=1, keepdims=True)
    log_likelihood = (np.eye(3)[classes] * np.log(probability)).sum(axis=1)
    for loss_fn, arguments, expected in (
        (nn.L1Loss(), (y_pred, y), np.abs(y_pred - y).mean()),
        (nn.MSELoss(), (y_pred, y), ((y_pred - y) ** 2).mean()),
        (nn.RMSELoss(), (y_pred, y), np.sqrt(((y_pred - y) ** 2).mean())),
        (nn.BCELoss(), (p, bits), -(bits * np.log(p) + (1 - bits) * np.log(1 - p)).mean()),
        (nn.CrossEntropyLoss(), (y_pred, np.eye(3)[classes]), -log_likelihood.mean()),
        (nn.CrossEntropyLoss(), (y_pred, classes), -log_likelihood.mean()),
    ):
        assert loss_fn(*arguments)[0] == pytest.approx(expected, rel=1e-13)


def test_an_outlier_weighs_more_in_mse_than_in_mae():
    y, y_pred = np.zeros((100, 1)), np.ones((100, 1))
    plain = [loss_fn(y_pred, y)[0] for loss_fn in (nn.L1Loss(), nn.MSELoss(), nn.RMSELoss())]
    y[0] = 101
    assert plain == [1, 1, 1]
    outlier = [loss_fn(y_pred, y)[0] for loss_fn in (nn.L1Loss(), nn.MSELoss(), nn.RMSELoss())]
    np.testing.assert_allclose(outlier, [1.99, 100.99, np.sqrt(100.99)])


# Optimization


def along_a_parabola(make_optimizer, steps, start=1.0):
    """The path of a weight w down w^2 / 2, whose gradient is w."""
    net = nn.Sequential(nn.Linear(1, 1, bias=False), dtype="float64")
    net["0.weight"][...] = start
    trainer = fastnn.Trainer(net, half_squared_error, make_optimizer(net.parameters()))
    path = [start]
    for _ in range(steps):
        trainer.step(np.ones((1, 1)), np.zeros((1, 1)))
        path.append(net["0.weight"].item())
    return np.array(path)


def by_the_rule(rule, steps=10, theta=1.0):
    """The same path by a rule of the text: rule(g, state, t) returns the change of theta."""
    path, state = [theta], {}
    for t in range(1, steps + 1):
        theta += rule(theta, state, t)
        path.append(theta)
    return np.array(path)


def momentum(g, s, t):
    s["v"] = 0.9 * s.get("v", 0) - 0.1 * g
    return s["v"]


def adagrad(g, s, t):
    s["h"] = s.get("h", 0) + g * g
    return -0.1 * g / np.sqrt(s["h"])


def rmsprop(g, s, t):
    s["h"] = 0.9 * s.get("h", 0) + 0.1 * g * g
    return -0.1 * g / np.sqrt(s["h"])


def adam(g, s, t):
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["v"] = 0.999 * s.get("v", 0) + 0.001 * g * g
    return -0.1 * s["m"] / (1 - 0.9**t) / (np.sqrt(s["v"] / (1 - 0.999**t)) + 1e-8)


RULES = {
    "gradient descent": (lambda g, s, t: -0.1 * g, lambda p: optim.SGD(p, lr=0.1)),
    "momentum": (momentum, lambda p: optim.SGD(p, lr=0.1, momentum=0.9)),
    "AdaGrad": (adagrad, lambda p: optim.Adagrad(p, lr=0.1, eps=0.0)),
    "RMSProp": (rmsprop, lambda p: optim.RMSprop(p, lr=0.1, alpha=0.9, eps=0.0)),
    "Adam": (adam, lambda p: optim.Adam(p, lr=0.1)),
}


@pytest.mark.parametrize("name", RULES)
def test_optimizers_follow_their_rules(name):
    rule, make_optimizer = RULES[name]
    np.testing.assert_allclose(along_a_parabola(make_optimizer, 10), by_the_rule(rule), rtol=1e-12)


def test_the_learning_rate_decides():
    """On w^2 / 2 every step multiplies w by 1 - lr: slow, at once, around the minimum, away from it."""
    for lr in (0.001, 1.0, 1.9, 2.1):
        path = along_a_parabola(lambda p, lr=lr: optim.SGD(p, lr=lr), 50)
        np.testing.assert_allclose(path, (1 - lr) ** np.arange(51), rtol=1e-12)


def test_the_rate_of_adagrad_decays():
    """Along an even slope its n-th step is lr / sqrt(n), where gradient descent's is always lr."""
    param, grad, state = np.zeros(1), np.full(1, 3.0), np.zeros(1)
    path = [0.0]
    for step in range(1, 101):
        optim.functional.adagrad_step(param, grad, state, lr=0.5, step=step)
        path.append(param.item())
    np.testing.assert_allclose(-np.diff(path), 0.5 / np.sqrt(np.arange(1, 101)), rtol=1e-9)


@pytest.mark.parametrize(("batch_size", "updates"), [(None, 3), (15, 12), (1, 180)])
def test_batch_mini_batch_and_stochastic_gradient_descent(batch_size, updates):
    """Three epochs over 60 samples: they differ in the number of updates, and all go down."""
    X, y = fastnn.data.make_moons(60, seed=0, dtype="float64")
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2), seed=0, dtype="float64")
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optimizer)
    before = trainer.evaluate(X, y)["loss"]
    history = trainer.fit(X, y, epochs=3, batch_size=batch_size, seed=0)
    assert optimizer.step_count == updates
    assert trainer.evaluate(X, y)["loss"] < before
    if batch_size is None:  # the one step of an epoch sees all samples: its loss is that of the whole set before it
        assert history["loss"][0] == pytest.approx(before, rel=1e-12)


# Demonstrations


def accuracy_on_circles(width, seed):
    """Of a 2-2-1 or 4-2-1 network (tanh, tanh, sigmoid) on a disc within a ring, which no straight line separates."""
    X, y = fastnn.data.make_circles(200, factor=0.4, noise=0.05, seed=0, dtype="float64")
    layers = [nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 2), nn.Tanh(), nn.Linear(2, 1), nn.Sigmoid()]
    net = nn.Sequential(*layers, seed=seed, dtype="float64")
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.Adam(net.parameters(), lr=0.03))
    trainer.fit(X, y, epochs=100, batch_size=20, seed=0)
    return ((net.predict(X)[:, 0] > 0.5) == y).mean()


def test_a_wider_layer_solves_what_a_narrower_cannot():
    """Two straight lines, however bent afterwards, cannot enclose a disc; four can."""
    assert max(accuracy_on_circles(2, seed) for seed in range(3)) < 0.92
    assert min(accuracy_on_circles(4, seed) for seed in range(3)) > 0.99


def gradients_of(net, x, y):
    """The loss and the gradients by name."""
    loss, grad = nn.MSELoss()(net(x), y)
    net.zero_grad()
    net.backward(grad)
    return loss, {name: gradient.copy() for name, gradient in net.named_gradients()}


def test_dead_neurons_stay_dead(rng):
    """A neuron whose bias lies far below zero has gradient 0 for ever, unless its activation leaks."""
    x, y = rng.normal(size=(50, 3)), rng.normal(size=(50, 1))
    for activation, dies in ((nn.ReLU(), True), (nn.LeakyReLU(0.1), False), (nn.ELU(), False)):
        net = nn.Sequential(nn.Linear(3, 4), activation, nn.Linear(4, 1), seed=0, dtype="float64")
        net["0.bias"][...] = 0, -12, 0, 0
        _, gradients = gradients_of(net, x, y)
        incoming = np.append(gradients["0.weight"][:, 1], gradients["0.bias"][1])
        assert (incoming == 0).all() == dies
        assert gradients["0.weight"][:, [0, 2, 3]].all()
        before = net["0.weight"].copy()
        trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
        trainer.fit(x, y, epochs=5)
        assert (net["0.weight"][:, 1] == before[:, 1]).all() == dies
        assert (net["0.weight"] != before)[:, [0, 2, 3]].all()


def test_saturated_neurons_hardly_learn(rng):
    """Large weights saturate sigmoid and tanh: the gradients vanish; ReLU passes them on."""
    x, y = rng.choice([-1.0, 1.0], size=(50, 1)), np.full((50, 1), 0.5)
    for activation, saturates in ((nn.Sigmoid(), True), (nn.Tanh(), True), (nn.ReLU(), False)):
        net = nn.Sequential(nn.Linear(1, 4, bias=False), activation, nn.Linear(4, 1), seed=0, dtype="float64")
        sizes = []
        for scale in (1, 100):
            net["0.weight"][...] = scale
            sizes.append(np.abs(gradients_of(net, x, y)[1]["0.weight"]).max())
        assert sizes[0] > 1e-3
        assert (sizes[1] < 1e-15) == saturates


def test_positive_inputs_make_gradients_zigzag(rng):
    """All outputs of sigmoid are positive, so the weights of a neuron behind it go up or down together."""
    x, y, same_sign = rng.normal(size=(1, 3)), rng.normal(size=(1, 2)), []
    for activation in (nn.Sigmoid(), nn.Tanh()):
        net = nn.Sequential(nn.Linear(3, 20), activation, nn.Linear(20, 2), seed=0, dtype="float64")
        signs = np.sign(gradients_of(net, x, y)[1]["2.weight"])
        same_sign.append((signs == signs[0]).all())
    assert same_sign == [True, False]


def test_zero_initialization_learns_nothing(rng):
    """With all weights 0 only the last bias moves, with all weights equal every neuron stays like its neighbours."""
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 1))
    for start in (0.0, 0.5):
        net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1), dtype="float64")
        for _, view in net.named_parameters():
            view[...] = start
        fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1)).fit(x, y, epochs=20, seed=0)
        for neurons in (net["0.weight"].T, net["0.bias"], net["2.weight"]):
            np.testing.assert_allclose(neurons, np.array([neurons[0]] * 5), rtol=1e-9)
        assert net["2.bias"] != start
        if start == 0:
            assert [name for name, view in net.named_parameters() if view.any()] == ["2.bias"]
