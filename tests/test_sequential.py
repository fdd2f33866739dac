"""Sequential: prediction, training mode, backward."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.layers import EVERY_ACTIVATION, assert_network_gradients, draw, in_both_backends
from test_network import make_network


@pytest.mark.parametrize("rows", [0, 1, 7, 512, 513, 1500])
def test_predict_any_number_of_rows(rows, dtype, rng):
    """And a row has the same bits alone, in any batch, and in training mode."""
    net, x = make_network(dtype), draw(rng, (rows, 5), dtype)
    y = net.predict(x)
    assert (y.shape, y.dtype) == ((rows, 4), dtype)
    assert_same_bits(net(x), y)
    for size in (1, 5, 600):
        few = range(0, min(rows, 20 * size), size)
        pieces = [net.predict(x[start : start + size]) for start in few]
        assert_same_bits(np.concatenate([y[:0], *pieces]), y[: 20 * size])
    assert_same_bits(net.predict(x[::-1]), y[::-1])


def test_a_network_without_layers_returns_its_input(backend, rng):
    net, x = nn.Sequential(), draw(rng, (3, 2), "float32")
    for y in (net(x), net.predict(x), net.backward(x)):
        assert_same_bits(y, x)
        assert not np.shares_memory(y, x)


def test_training_mode_drops_and_inference_does_not(rng):
    net, x = make_network(p=0.5), draw(rng, (30, 5), "float32")
    assert (net(x) != net.predict(x)).any()
    assert_same_bits(net.eval()(x), net.predict(x))
    assert not any(layer.training for layer in net)
    assert (net.train()(x) != net.predict(x)).any()


@EVERY_ACTIVATION
def test_gradients_are_those_of_central_differences(case, backend, rng):
    """Through whole networks with each activation first, behind a product, behind another activation, and last."""
    layers = [case[0](**case[2]) for _ in range(4)]
    net = nn.Sequential(
        layers[0], nn.Linear(3, 5), layers[1], nn.Linear(5, 4), nn.Tanh(), layers[2], nn.Linear(4, 3), layers[3],
        seed=2, dtype="float64",
    )  # fmt: skip
    net.parameters().data[...] *= 2
    assert_network_gradients(net, draw(rng, (3, 3)), rng)


def test_gradients_add_up_until_zero_grad(backend, rng):
    net, x = make_network("float64"), draw(rng, (6, 5))
    optimizer, gradients = optim.SGD(net.parameters()), []
    for zero_grad in (net.zero_grad, optimizer.zero_grad):
        for _ in range(2):
            net(x)
            net.backward(np.ones((6, 4)) * x[:, :4])
            gradients.append(net.parameters().grad.copy())
        zero_grad()
        assert not net.parameters().grad.any()
    assert gradients[0].any()
    assert_same_bits(gradients[2], gradients[0])
    assert_same_bits(gradients[3], gradients[1])
    np.testing.assert_allclose(gradients[1], 2 * gradients[0], rtol=1e-12, atol=1e-14)


def test_backward_needs_a_call_in_training_mode(rng):
    net, x = make_network(), draw(rng, (6, 5), "float32")
    net.predict(x)
    net.eval()(x)
    with pytest.raises(RuntimeError, match=r"backward needs a call of the network in training mode before it"):
        net.backward(np.ones((6, 4), "float32"))


def test_backward_remembers_its_own_input(backend, rng):
    """Whatever happens to x, to the output and in inference between the two passes."""
    net, x = make_network(), draw(rng, (6, 5), "float32")
    upstream = draw(rng, (6, 4), "float32")
    results = []
    for meddle in (False, True):
        net.zero_grad()
        given = x.copy()
        y, seen = net(given), upstream.copy()
        if meddle:
            given[...], y[...] = np.nan, np.nan
            net.predict(draw(rng, (600, 5), "float32"))
            net.eval()(x[:2])
            net.train()
        results.append((net.backward(seen), net.parameters().grad.copy()))
        assert_same_bits(seen, upstream)
    for plain, meddled in zip(*results, strict=True):
        assert_same_bits(meddled, plain)


def test_both_backends_agree(rng):
    x, upstream = draw(rng, (9, 5)), draw(rng, (9, 4))

    def run():
        net = make_network("float64", p=0.4)
        return net(x), net.backward(upstream), net.parameters().grad

    for native, reference in zip(*in_both_backends(run), strict=True):
        np.testing.assert_allclose(native, reference, rtol=1e-11, atol=1e-13)


def test_a_network_can_change_backends_between_runs(rng):
    net, x = make_network("float64"), draw(rng, (9, 5))
    y = net(x)
    with fastnn.use_backend("reference"):
        np.testing.assert_allclose(net(x), y, rtol=1e-11)
    assert_same_bits(net(x), y)


def test_repr_shows_arguments_and_counts():
    net = nn.Sequential(nn.Linear(2, 600, bias=False), nn.LeakyReLU(0.1), nn.Sequential(nn.GELU("tanh"), nn.Dropout()))
    assert repr(net).splitlines() == [
        "Sequential(",
        "  (0): Linear(in_features=2, out_features=600, bias=False)         1,200",
        "  (1): LeakyReLU(negative_slope=0.1)",
        "  (2.0): GELU(approximate='tanh')",
        "  (2.1): Dropout(p=0.5)",
        ")  1,200 parameters, float32",
    ]
    assert repr(net.parameters()) == "Parameters(1,200 values in 1 arrays, float32)"
    assert [repr(layer) for layer in (nn.ReLU(), nn.Softmax(temperature=2), nn.Hardtanh())] == [
        "ReLU()",
        "Softmax(temperature=2)",
        "Hardtanh(min_val=-1, max_val=1)",
    ]


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_backward_needs_a_call_for_each(backend):
    """The gradients of one call are not added twice; an error does not use it up."""
    x = np.ones((2, 3), "float32")
    with fastnn.use_backend(backend):
        for module in (nn.Sequential(nn.Linear(3, 2), nn.Tanh(), seed=0), nn.Linear(3, 2), nn.Tanh()):
            out = module(x)
            with pytest.raises(ValueError, match="grad_output must have shape"):
                module.backward(np.ones((5, 5), "float32"))
            module.backward(out)
            with pytest.raises(
                RuntimeError, match="backward needs a call of the network in training mode before it, one"
            ):
                module.backward(out)
            module(x)
            module.backward(out)
