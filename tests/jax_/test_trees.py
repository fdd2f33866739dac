"""Parameters as trees of JAX arrays, with the names of Flax, both ways."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim

jax = pytest.importorskip("jax", reason="JAX is not installed")
from jax import numpy as jnp  # noqa: E402

from fastnn.jax import from_tree, to_tree  # noqa: E402

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
Y = np.random.default_rng(1).normal(size=(6, 2)).astype("float32")


def make(seed=0):
    return nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.GELU(), nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8)), nn.Linear(8, 2),
        seed=seed)  # fmt: skip


def mlp(params, x):
    x = jax.nn.gelu(x @ params["layers_0"]["kernel"] + params["layers_0"]["bias"], approximate=False)
    x = jax.nn.log_softmax(x @ params["layers_2"]["kernel"])
    return jax.nn.silu(x @ params["layers_4"]["kernel"] + params["layers_4"]["bias"])


def plain(seed=0):
    last = nn.Linear(3, 2), nn.SiLU()
    return nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 3, bias=False), nn.LogSoftmax(), *last, seed=seed)


@pytest.mark.usefixtures("backend")
def test_an_mlp_of_jax_has_the_same_outputs_and_gradients():
    net = plain()
    params = to_tree(net)["params"]
    np.testing.assert_allclose(net(X), mlp(params, X), rtol=1e-5, atol=1e-6)
    gradients = jax.grad(lambda p: (mlp(p, X) * Y).sum())(params)
    net.backward(Y)
    for name, grad in net.named_gradients():
        layer, key = name.split(".")
        other = gradients[f"layers_{layer}"][{"weight": "kernel"}.get(key, key)]
        np.testing.assert_allclose(grad, other, rtol=1e-4, atol=1e-5)


def test_ten_steps_of_optax_are_ten_steps_here():
    optax = pytest.importorskip("optax", reason="optax is not installed")
    net = plain()
    params, rule = to_tree(net)["params"], optax.adam(0.01)
    state = rule.init(params)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.Adam(net.parameters(), lr=0.01))
    for _ in range(10):
        loss, gradients = jax.value_and_grad(lambda p: ((mlp(p, X) - Y) ** 2).mean())(params)
        updates, state = rule.update(gradients, state)
        params = optax.apply_updates(params, updates)
        assert trainer.step(X, Y) == pytest.approx(float(loss), rel=1e-4)
    twin = plain(1)
    from_tree(twin, params)
    np.testing.assert_allclose(twin.predict(X), net.predict(X), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("naming", ["sequential", "compact", "fastnn"])
def test_trees_go_both_ways(naming):
    net, twin = make(), make(1)
    net[1].running_mean[...] = 0.5
    tree = to_tree(net, naming)
    assert from_tree(twin, tree) == ([], [])
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(twin.state_dict()[name], value)
    net[0].weight[...] = 0.0
    assert all(leaf.any() or leaf.ndim == 1 for leaf in jax.tree.leaves(tree["params"]))  # copies
    assert from_tree(make(), tree["params"]) == ([], [])


def test_flax_takes_the_tree_and_gives_it():
    linen = pytest.importorskip("flax.linen", reason="flax is not installed")

    class Model(linen.Module):
        @linen.compact
        def __call__(self, x, train=False):
            x = linen.BatchNorm(use_running_average=not train, epsilon=1e-5)(linen.Dense(8)(x))
            x = linen.LayerNorm(epsilon=1e-5)(linen.Dense(8)(linen.gelu(x, approximate=False)))
            return linen.Dense(2)(x)

    net = make()
    net(X)
    net.eval()
    np.testing.assert_allclose(Model().apply(to_tree(net, "compact"), X), net.predict(X), rtol=1e-4, atol=1e-5)
    variables = Model().init(jax.random.key(0), X)
    from_tree(net, variables)
    np.testing.assert_allclose(Model().apply(variables, X), net.predict(X), rtol=1e-4, atol=1e-5)
    sequential = linen.Sequential([linen.Dense(8), linen.relu, linen.Dense(2)])
    small = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    np.testing.assert_allclose(sequential.apply(to_tree(small), X), small.predict(X), rtol=1e-4, atol=1e-5)


def test_dlpack_shares_parameters_with_jax_and_inputs_come_in():
    net = plain()
    for p in net.parameters():
        np.testing.assert_array_equal(jnp.from_dlpack(p), p.data)
    np.testing.assert_array_equal(net.predict(jnp.asarray(X)), net.predict(X))


def test_what_does_not_fit_is_named():
    tree = to_tree(plain())
    tree["params"]["layers_9"] = {"bias": tree["params"]["layers_4"].pop("bias")}
    with pytest.raises(ValueError, match=r"missing \['params/layers_4/bias'.*unexpected \['params/layers_9/bias'\]"):
        from_tree(plain(), tree)
    tree = to_tree(plain())
    tree["params"]["layers_0"]["kernel"] = jnp.zeros((8, 4))
    with pytest.raises(ValueError, match=r"layers_0/kernel is float32 \(8, 4\), in this network float32 \(4, 8\)"):
        from_tree(plain(), tree)
    with pytest.raises(TypeError, match="tree must be a dict"):
        from_tree(plain(), [1])
    with pytest.raises(ValueError, match="naming must be"):
        to_tree(plain(), "torch")
