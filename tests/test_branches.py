"""Residual and Concat: layers made of layers."""

import copy
import itertools
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn._core import threads as core_threads
from fastnn.testing.measure import assert_same_bits
from support.gradients import assert_gradient


def linears(*sizes):
    return [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]


NETWORKS = {
    "residual": lambda: [*linears(4, 6), nn.ReLU(), nn.Residual(*linears(6, 6), nn.Tanh(), nn.Linear(6, 6)), nn.Tanh()],
    "residual first": lambda: [nn.Residual(nn.Tanh(), nn.Linear(4, 4)), nn.Linear(4, 2)],
    "of an activation": lambda: [nn.Linear(4, 4), nn.Residual(nn.Tanh()), nn.Sigmoid(), nn.Linear(4, 2)],
    "shortcut": lambda: [nn.Residual(*linears(4, 5), nn.GELU(), shortcut=nn.Linear(4, 5, bias=False)), nn.Linear(5, 2)],
    "wide and deep": lambda: [nn.Residual(*linears(4, 3), nn.SiLU(), *linears(3, 2), shortcut=nn.Linear(4, 2))],
    "dense skip": lambda: [nn.Linear(4, 3), nn.Tanh(), nn.Concat(nn.Sequential(), nn.Linear(3, 5)), nn.Linear(8, 2)],
    "concat first": lambda: [nn.Concat(nn.Linear(4, 3), nn.Sequential(), nn.Sequential(nn.Linear(4, 2), nn.Softmax())),
                             nn.Softplus()],
    "only skips": lambda: [nn.Concat(nn.Sequential(), nn.Tanh()), nn.Linear(8, 2)],
    "nested": lambda: [
        nn.Residual(
            nn.Concat(nn.Linear(4, 2), nn.Residual(nn.Linear(4, 4), nn.Mish()), nn.Tanh()),
            nn.Residual(nn.Linear(10, 10, bias=False)),
            nn.Linear(10, 4),
        ),
        nn.Sequential(nn.Tanh(), nn.Residual(nn.Sequential(nn.Linear(4, 4), nn.ELU()))),
    ],
}  # fmt: skip
EVERY_NETWORK = pytest.mark.parametrize("name", NETWORKS)


def network(name, dtype="float64"):
    return nn.Sequential(*NETWORKS[name](), seed=1, dtype=dtype)


@EVERY_NETWORK
def test_gradients_are_those_of_central_differences(name, backend, rng):
    net, x = network(name), rng.normal(size=(3, 4))
    upstream = rng.normal(size=net(x).shape)
    net(x)
    grad_x = net.backward(upstream)
    assert_gradient(grad_x, lambda x: (upstream * net.predict(x)).sum(), x)
    for (key, view), (_, gradient) in zip(net.named_parameters(), net.named_gradients(), strict=True):

        def at(values, key=key):
            before = net[key].copy()
            net[key][...] = values
            value = (upstream * net.predict(x)).sum()
            net[key][...] = before
            return value

        assert_gradient(gradient, at, view.copy())


@EVERY_NETWORK
def test_training_and_inference_agree_and_steps_lower_the_loss(name, dtype, backend, rng):
    net, x = network(name, dtype.name), rng.normal(size=(20, 4)).astype(dtype)
    assert_same_bits(net(x), net.predict(x))
    y = rng.normal(size=net(x).shape).astype(dtype)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.Adam(net.parameters(), lr=0.01))
    losses = [trainer.step(x, y) for _ in range(30)]
    assert losses[-1] < losses[0]


@EVERY_NETWORK
def test_backends_agree(name, rng):
    x, y = rng.normal(size=(9, 4)), rng.normal(size=(9, network(name).out_features_for(4)))
    ends = []
    for backend in ("native", "reference"):
        with fastnn.use_backend(backend):
            net = network(name)
            trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
            trainer.fit(x, y, epochs=5, batch_size=4, seed=0)
            ends.append(net.parameters().data.copy())
    np.testing.assert_allclose(*ends, rtol=1e-10, atol=1e-12)


@EVERY_NETWORK
def test_same_bits_for_any_number_of_threads(name, dtype, rng, cut_small_work):
    x = rng.normal(size=(50, 4)).astype(dtype)
    y = rng.normal(size=(50, network(name).out_features_for(4))).astype(dtype)
    ends = []
    for n in (1, 2, 3):
        core_threads.set_num_threads(n)
        net = network(name, dtype.name)
        fastnn.Trainer(net, nn.MSELoss(), optim.Adam(net.parameters())).fit(x, y, epochs=3, seed=0)
        ends.append(net.parameters().data.copy())
    for end in ends[1:]:
        assert_same_bits(end, ends[0])


def test_residual_adds_and_concat_sets_side_by_side(backend, rng):
    x, linear = rng.normal(size=(5, 3)), nn.Linear(3, 3, dtype="float64")
    expected = x @ linear.weight + linear.bias
    np.testing.assert_allclose(nn.Residual(linear)(x), x + expected, rtol=1e-12)
    np.testing.assert_allclose(nn.Concat(nn.Tanh(), nn.Sequential())(x), np.hstack([np.tanh(x), x]), rtol=1e-12)


def test_backward_adds_to_gradients(rng):
    net, x = network("nested"), rng.normal(size=(3, 4))
    g = np.ones((3, 4))
    net(x)
    net.backward(g)
    once = net.parameters().grad.copy()
    net(x)
    net.backward(g)
    np.testing.assert_allclose(net.parameters().grad, 2 * once, rtol=1e-12)


def test_names_and_draws():
    net = network("nested")
    names = [name for name, _ in net.named_parameters()]
    assert names == ["0.body.0.0.weight", "0.body.0.0.bias", "0.body.0.1.body.0.weight", "0.body.0.1.body.0.bias",
                     "0.body.1.body.weight", "0.body.2.weight", "0.body.2.bias",
                     "1.1.body.0.weight", "1.1.body.0.bias"]  # fmt: skip
    # The draws depend on the seed and the place among all layers, not on the others.
    row = nn.Sequential(nn.Linear(4, 2), seed=1, dtype="float64")
    np.testing.assert_array_equal(net["0.body.0.0.weight"], row["0.weight"])
    again = network("nested")
    assert_same_bits(net.parameters().data, again.parameters().data)


@EVERY_NETWORK
def test_copies_work_by_themselves(name, rng):
    net, x = network(name), rng.normal(size=(3, 4))
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert_same_bits(other.predict(x), net.predict(x))
        other.parameters().data[...] = 0
        assert np.any(net.predict(x) != other.predict(x))


def test_a_block_alone_and_in_a_network(rng):
    x = rng.normal(size=(4, 6)).astype("float32")
    block = nn.Residual(nn.Linear(6, 6), nn.ReLU())
    alone = block(x)
    block.backward(np.ones_like(alone))
    net = nn.Sequential(nn.Linear(6, 6), block, seed=0)
    assert block.named_children()["body"].layers[0].weight.base is not None
    np.testing.assert_array_equal(net(x), block(net[0](x)))
    with pytest.raises(ValueError, match="is part of another network already"):
        nn.Sequential(block)


def test_dropout_in_branches_has_masks_of_its_own():
    net = nn.Sequential(nn.Concat(nn.Dropout(0.5), nn.Dropout(0.5)), seed=0)
    y = net(np.ones((50, 20), "float32"))
    assert np.any(y[:, :20] != y[:, 20:])
    np.testing.assert_array_equal(net.eval()(np.ones((2, 20), "float32")), np.ones((2, 40)))


def test_many_branches_on_the_input(rng):
    x = rng.normal(size=(3, 2)).astype("float32")
    net = nn.Sequential(nn.Concat(*(nn.Sequential() for _ in range(100))))
    np.testing.assert_array_equal(net.predict(x), np.tile(x, 100))


class Column(nn.Module):
    """Picks a column."""

    def __init__(self, column):
        super().__init__()
        self.column = column

    def forward(self, x):
        self.shape = x.shape
        return x[:, [self.column]].copy()

    def backward(self, grad_output):
        grad_x = np.zeros(self.shape, grad_output.dtype)
        grad_x[:, [self.column]] = grad_output
        return grad_x

    def out_features_for(self, in_features):
        return 1


class Factor(nn.Module):
    """Multiplies by a parameter."""

    def __init__(self):
        super().__init__()
        self.add_parameter("factor", (1,), 2.0)

    def forward(self, x):
        self.x = x.copy()
        return self["factor"] * x

    def backward(self, grad_output):
        self.gradient("factor")[...] += (grad_output * self.x).sum()
        return self["factor"] * grad_output


def test_layers_in_python_on_parts_of_the_input_do_not_add_gradients_that_nobody_wants(backend, rng):
    """Those that end amid a branch have other columns than the input: adding them wrote behind a buffer."""
    net = nn.Sequential(
        nn.Concat(*(nn.Sequential(Column(i), Factor()) for i in (2, 40))), nn.Linear(2, 2), seed=0, dtype="float64"
    )
    x, y = rng.normal(size=(32, 50)), rng.integers(0, 2, 32)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1))
    trainer.step(x, y)
    assert "sum of gradients" not in str(trainer.engine.get("step", trainer.engine.data(x, y), 32))
    assert all(gradient.any() for _, gradient in net.named_gradients())
    assert net.backward(nn.CrossEntropyLoss()(net(x), y)[1]).shape == x.shape


def test_errors():
    with pytest.raises(ValueError, match="body gives 5 features, to be added to 4 of the shortcut"):
        nn.Residual(nn.Linear(4, 5))
    with pytest.raises(ValueError, match="its branches take different numbers of features, \\[3, 4\\]"):
        nn.Sequential(nn.Concat(nn.Linear(4, 5), nn.Linear(3, 5)))
    with pytest.raises(ValueError, match=r"layer 1, .*takes 9 features but gets 8"):
        nn.Sequential(nn.Concat(nn.Linear(4, 4), nn.Sequential()), nn.Linear(9, 1))
    with pytest.raises(ValueError, match="layer 1 is layer 0 again"):
        nn.Residual(*[nn.Linear(2, 2)] * 2)
    with pytest.raises(ValueError, match=r"layer 0\.1 is layer 0\.0 again"):
        nn.Sequential(nn.Concat(*[nn.Linear(2, 2)] * 2))
    with pytest.raises(TypeError, match="layer shortcut must be a Module, got int"):
        nn.Residual(nn.Linear(4, 5), shortcut=3)
    with pytest.raises(TypeError, match="layer 0 must be a Module, got type: write Tanh"):
        nn.Concat(nn.Tanh)
    with pytest.raises(ValueError, match="needs a body"):
        nn.Residual()
    with pytest.raises(ValueError, match="needs at least one branch"):
        nn.Concat()


def test_printed():
    net = network("shortcut")
    assert "(shortcut): Linear(in_features=4, out_features=5, bias=False)" in repr(net)
    assert "columns" in str(network("dense skip").compile(batch_size=8))
