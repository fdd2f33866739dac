"""Modules whose `forward` is traced: numbers of torch.autograd, the same bits everywhere, training, files, hooks."""

import copy
import io
import pickle
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn._core import dispatch, threads
from fastnn.testing.measure import assert_same_bits
from support.layers import assert_network_gradients, draw
from support.traced import CASES
from support.traced_modules import Traced

STORED = np.load(Path(__file__).parent.parent / "recorded" / "torch_traced.npz")
EVERY_CASE = pytest.mark.parametrize("name", CASES)
WITH_FMA = [isa for isa in dispatch.available_isas() if isa != "sse2"]


def network(name, dtype="float64"):
    """A network of a case, with the parameters that PyTorch had."""
    net = nn.Sequential(Traced(CASES[name]), seed=0, dtype=dtype)
    prefix = f"{name}/parameter/"
    state = {f"0.{key.removeprefix(prefix)}": STORED[key].astype(dtype) for key in STORED if key.startswith(prefix)}
    net.load_state_dict(state)
    return net


@EVERY_CASE
def test_values_and_gradients_are_those_of_torch(name, backend, dtype):
    net = network(name, dtype)
    close = {"rtol": 1e-10, "atol": 1e-12} if dtype == "float64" else {"rtol": 2e-4, "atol": 2e-5}
    x, g = (STORED[f"{name}/{key}"].astype(dtype) for key in "xg")
    np.testing.assert_allclose(net(x), STORED[f"{name}/y"], **close)
    np.testing.assert_allclose(net.backward(g), STORED[f"{name}/grad_x"], **close)
    for key, gradient in net.named_gradients():
        np.testing.assert_allclose(gradient, STORED[f"{name}/gradient/{key[2:]}"], **close, err_msg=key)
    np.testing.assert_allclose(net.predict(x), STORED[f"{name}/y"], **close)


@EVERY_CASE
def test_gradients_are_those_of_central_differences(name, backend, rng):
    assert_network_gradients(network(name), STORED[f"{name}/x"], rng)


@EVERY_CASE
def test_a_module_within_a_network_has_the_gradients_of_central_differences(name, rng):
    """What is before and behind it is fused with its first and last layers."""
    features = CASES[name].features
    n_out = STORED[f"{name}/y"].shape[1]
    layers = nn.Linear(3, features), nn.Tanh(), Traced(CASES[name]), nn.Tanh(), nn.Linear(n_out, 2)
    net = nn.Sequential(*layers, seed=2, dtype="float64")
    assert_network_gradients(net, draw(rng, (4, 3), "float64"), rng)


@EVERY_CASE
def test_the_same_bits_over_threads_instruction_sets_and_batches(name, isas, cut_small_work, rng, dtype):
    x = draw(rng, (70, CASES[name].features), dtype)
    g = draw(rng, (70, STORED[f"{name}/y"].shape[1]), dtype)
    ends = []
    for isa in WITH_FMA:
        dispatch.set_isa(isa)
        for n in (1, 2, 3):
            threads.set_num_threads(n)
            net = network(name, dtype)
            ends.append([net(x), net.backward(g), *(gradient for _, gradient in net.named_gradients())])
            assert_same_bits(net.predict(x[:7]), net.predict(x)[:7])
    for end in ends[1:]:
        for a, e in zip(end, ends[0], strict=True):
            assert_same_bits(a, e)


@EVERY_CASE
def test_training_decreases_the_loss_and_is_the_same_by_step_and_by_fit(name, backend, rng):
    x, target = STORED[f"{name}/x"], 0.1 * draw(rng, STORED[f"{name}/y"].shape, "float64")
    nets = [network(name) for _ in range(2)]
    if not len(nets[0].parameters()):
        return
    trainers = [fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.002)) for net in nets]
    losses = [trainers[0].step(x, target) for _ in range(20)]
    assert losses[-1] <= losses[0]
    history = trainers[1].fit(x, target, epochs=20, batch_size=len(x), shuffle=False, progress=False)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-12)
    assert_same_bits(nets[0].parameters().data, nets[1].parameters().data)


class Net(nn.Module):
    """As one writes it in PyTorch."""

    def __init__(self, n_in, n_out, p=0.0):
        super().__init__()
        self.n_in, self.n_out, self.p = n_in, n_out, p
        self.first = nn.Linear(n_in, 6)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(6, 6), nn.Tanh()) for _ in range(2))
        self.drop = nn.Dropout(p)
        self.last = nn.Linear(6, n_out)
        self.seed = 3

    def forward(self, x):
        x = F.relu(self.first(x))
        for block in self.blocks:
            x = x + block(self.drop(x))
        return self.last(F.dropout(x, self.p, self.training))


def data(rng, n=60):
    return rng.normal(size=(n, 4)).astype("float32"), rng.integers(0, 3, n)


def test_a_module_is_a_network_of_its_own(backend, rng):
    x, y = data(rng)
    net = Net(4, 3)
    names = [name for name, _ in net.named_parameters()]
    assert names[:4] == ["first.weight", "first.bias", "blocks.0.0.weight", "blocks.0.0.bias"]
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.05), metrics=["accuracy"])
    history = trainer.fit(x, y, epochs=30, batch_size=20, progress=False)
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    assert_same_bits(net.predict(x), trainer.net.predict(x))
    assert_same_bits(net.eval()(x), net.predict(x))
    twin = Net(4, 3)
    twin.load_state_dict(net.state_dict())
    assert_same_bits(twin.predict(x), net.predict(x))
    assert "(blocks): ModuleList(" in repr(net)
    assert net.summary().parameters == sum(value.size for _, value in net.named_parameters())
    assert [row.in_features for row in net.summary().layers if row.layer == "Linear"] == [4, 6, 6, 6]


def test_files_and_copies_of_modules(rng, tmp_path):
    x, y = data(rng)
    for net in (Net(4, 3, p=0.25), nn.Sequential(Net(4, 3), nn.Softmax(), seed=1)):
        path = tmp_path / "net.safetensors"
        net.save(path)
        loaded = fastnn.load(path, layers={"Net": Net})
        assert type(loaded) is type(net)
        copies = [loaded, copy.deepcopy(net), pickle.loads(pickle.dumps(net))]
        for twin in copies:
            assert_same_bits(twin.predict(x), net.predict(x))
    file = io.BytesIO()
    net = Net(4, 3, p=0.25)
    net.save(file)
    runs = []
    for twin in (net, fastnn.load(file.getvalue(), layers={"Net": Net})):
        trainer = fastnn.Trainer(twin, nn.CrossEntropyLoss(), optim.SGD(twin.parameters(), lr=0.1))
        trainer.fit(x, y, epochs=2, batch_size=16, seed=0, progress=False)
        runs.append(trainer.net.parameters().data)
    assert_same_bits(*runs)  # the masks of dropout too


def test_each_call_of_dropout_draws_its_own_mask(backend):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop = nn.Dropout(0.5)

        def forward(self, x):
            return fastnn.concat([self.drop(x), self.drop(x), F.dropout(x, 0.5, self.training)])

    net, x = nn.Sequential(Twice(), seed=0), np.ones((64, 8), "float32")
    parts = np.split(net(x), 3, axis=1)
    assert {0.0, 2.0} == set(np.unique(parts))
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert 0.2 < (parts[a] == parts[b]).mean() < 0.8
    grad = net.backward(np.ones((64, 24), "float32"))
    assert_same_bits(grad, sum(parts))
    assert_same_bits(net.predict(x), np.ones((64, 24), "float32"))


def test_masks_are_the_same_on_both_backends():
    x = np.ones((8, 4), "float32")
    outputs = []
    for backend in ("native", "reference"):
        with fastnn.use_backend(backend):
            outputs.append(nn.Sequential(nn.Dropout(0.5), Net(4, 3, 0.5), seed=5)(x))
    np.testing.assert_allclose(*outputs, rtol=1e-5)


def test_a_layer_twice_is_one_layer_with_one_gradient(backend):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.encode = nn.Linear(2, 2, weight_init=[[1.0, 2.0], [3.0, 4.0]], bias_init=0.0)
            self.again = self.encode

        def forward(self, x):
            return self.again(self.encode(x))

    net = nn.Sequential(Tied(), seed=0, dtype="float64")
    assert list(net.state_dict()) == ["0.encode.weight", "0.encode.bias"]
    assert net(np.array([[1.0, 0.0]])).tolist() == [[7.0, 10.0]]  # x W^2
    net.backward(np.array([[1.0, 0.0]]))
    # d(x W W)[0] / dW: x^T (g W^T) + (x W)^T g, with g = (1, 0)
    np.testing.assert_allclose(net[0].encode.gradient("weight"), [[1.0 + 1.0, 3.0], [2.0, 0.0]])


def test_frozen_layers_have_no_gradient_and_end_the_backward_pass(backend, rng):
    net = network("dense")
    net[0].a.requires_grad_(False)
    x, g = STORED["dense/x"], STORED["dense/g"]
    net(x)
    net.backward(g)
    gradients = dict(net.named_gradients())
    assert not gradients["0.a.weight"].any() and not gradients["0.a.bias"].any()
    np.testing.assert_allclose(gradients["0.b.weight"], STORED["dense/gradient/b.weight"])
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    before = net.state_dict()
    trainer.step(x, g)
    assert_same_bits(net["0.a.weight"], before["0.a.weight"])
    assert (net["0.b.weight"] != before["0.b.weight"]).any()


def test_a_weight_that_is_shared_with_a_product_may_be_frozen_apart(backend):
    for frozen in ("enc", None):
        net = network("autoencoder")
        if frozen:
            net[0].enc.requires_grad_(False)
        net(STORED["autoencoder/x"])
        net.backward(STORED["autoencoder/g"])
        gradients = dict(net.named_gradients())
        np.testing.assert_allclose(gradients["0.b"], STORED["autoencoder/gradient/b"])
        expected = 0 if frozen else STORED["autoencoder/gradient/enc.weight"]
        np.testing.assert_allclose(gradients["0.enc.weight"], np.broadcast_to(expected, (4, 2)))


def test_gradients_are_added_to_those_there_in_a_pass_apart(backend):
    net = network("residual twice")
    x, g = STORED["residual twice/x"], STORED["residual twice/g"]
    for _ in range(2):
        net(x)
        net.backward(g)
    np.testing.assert_allclose(net["0.fc.weight"].shape, (4, 4))
    np.testing.assert_allclose(
        dict(net.named_gradients())["0.fc.weight"], 2 * STORED["residual twice/gradient/fc.weight"], rtol=1e-10
    )


def test_hooks_and_activations_of_layers_within(backend):
    net = network("dense")
    x = STORED["dense/x"]
    a = np.maximum(x @ net["0.a.weight"] + net["0.a.bias"], 0)
    outputs = net.activations(x)
    np.testing.assert_allclose(outputs["0.a"], x @ net["0.a.weight"] + net["0.a.bias"])
    np.testing.assert_allclose(outputs["0.b"], np.hstack([x, a]) @ net["0.b.weight"] + net["0.b.bias"])
    np.testing.assert_allclose(outputs["0"], STORED["dense/y"])
    seen = []
    with net[0].b.register_forward_hook(lambda layer, x, y: seen.append((x, y))):
        net.predict(x)
    np.testing.assert_allclose(seen[0][0], np.hstack([x, a]))
    np.testing.assert_allclose(seen[0][1], outputs["0.b"])


def test_activations_of_layers_that_are_not_called():
    net = network("unused slice")
    assert set(net.activations(STORED["unused slice/x"])) == {"0", "0.fc2"}
    with pytest.raises(KeyError, match=r"layer '0\.fc' is not called by the forward of its module"):
        net.activations(STORED["unused slice/x"], ["0.fc"])


def test_attributes_of_a_module_count_at_once(backend):
    class Scaled(nn.Module):
        factor = 1.0

        def forward(self, x):
            return x * self.factor

    net, x = nn.Sequential(Scaled(), seed=0), np.ones((2, 3), "float32")
    assert (net.predict(x) == 1).all()
    net[0].factor = 3.0
    assert (net.predict(x) == 3).all()


def test_training_and_inference_may_differ(backend):
    class Two(nn.Module):
        def forward(self, x):
            return x * 2.0 if self.training else x

    net, x = nn.Sequential(Two(), seed=0), np.ones((2, 3), "float32")
    assert (net(x) == 2).all() and (net.predict(x) == 1).all() and (net.backward(x) == 2).all()


def test_features_are_found_out_from_the_layers():
    assert nn.Sequential(Net(4, 3), seed=0).in_features == 4
    with pytest.raises(ValueError, match=r"takes 4 features but gets 5"):
        nn.Sequential(nn.Linear(2, 5), Net(4, 3))
    with pytest.raises(ValueError, match=r"takes 2 features but gets 3"):
        nn.Sequential(Net(4, 3), nn.Linear(2, 2))
    with pytest.raises(ValueError, match=r"x has 5 features"):
        Net(4, 3).predict(np.ones((2, 5), "float32"))


def test_normalizations_and_python_layers_within(backend, rng):
    class Square(nn.Module):
        def forward(self, x):
            self.x = x.copy()
            return x * x

        def backward(self, grad_output):
            return 2 * self.x * grad_output

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.batch, self.square = nn.LayerNorm(4), nn.BatchNorm1d(4), Square()
            self.slope, self.inner = nn.PReLU(), nn.Residual(nn.Linear(4, 4), nn.Tanh())

        def forward(self, x):
            x = self.norm(x) + self.batch(x)
            return self.square(x) - self.inner(self.slope(x)) * self.norm(x)

    net = nn.Sequential(nn.Linear(3, 4), Block(), seed=0, dtype="float64")
    assert_network_gradients(net, draw(rng, (6, 3), "float64"), rng)


def test_a_network_called_whole_and_a_module_within_a_module(backend, rng):
    class Inner(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            return x + self.fc(x)

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), Inner())
            self.inner = Inner()

        def forward(self, x):
            return self.inner(self.body(self.inner(x))) * self.body[0](x)

    net = nn.Sequential(Outer(), seed=0, dtype="float64")
    assert_network_gradients(net, draw(rng, (5, 4), "float64"), rng)
    assert set(net.activations(np.ones((2, 4)))) >= {"0", "0.body", "0.body.0", "0.inner", "0.inner.fc"}


def test_health_shows_the_layers_within(backend, rng):
    x, y = data(rng)
    net = nn.Sequential(Net(4, 3), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    health = trainer.health(x, y)
    names = [layer.name for layer in health.layers]
    assert {"0.first Linear + 0 relu", "0.blocks.0.0 Linear + 0.blocks.0.1 Tanh", "0.last Linear"} <= set(names)
    assert all(np.isfinite(layer.grad_norm) for layer in health.layers if "Linear" in layer.name)


def test_slopes_of_numbers_and_functions_are_looked_at_too(backend):
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x):
            return 1.0 / (F.softplus(self.fc(x)) * 0.5 + 1.0)

    net = nn.Sequential(Scaled(), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.Adam(net.parameters()))
    x = np.array([[1.0, 0.5], [-1.0, 2.0]], "float32")
    assert np.isfinite(trainer.health(x, x).loss)
