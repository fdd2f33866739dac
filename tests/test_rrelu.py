"""RReLU: what it draws, the same everywhere, the gradient with the same slopes, and the layer in programs."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn.reference import philox_uint32
from fastnn.testing.measure import assert_same_bits
from support.layers import draw, in_both_backends

WITH_FMA = [isa for isa in fastnn.available_isas() if isa != "sse2"]
NAN, INF = np.nan, np.inf


def test_slopes_are_made_from_words(dtype, isa, threads, backend):
    n = 531
    x = -np.ones(n, dtype)
    words = philox_uint32(3, 4, 7, n) * 2.0**-32
    expected = (0.25 + 0.5 * words).astype(dtype)
    assert_same_bits(F.rrelu(x, 0.25, 0.75, True, seed=3, stream=4, start=7), -expected)
    assert_same_bits(F.rrelu_backward(-x, x, 0.25, 0.75, True, seed=3, stream=4, start=7), expected)


def test_slopes_are_uniform(dtype, backend):
    slopes = -F.rrelu(-np.ones(100_000, dtype), 0.125, 0.625, training=True, seed=1).astype("float64")
    assert 0.125 <= slopes.min() < 0.1251
    assert 0.6249 < slopes.max() <= 0.625
    np.testing.assert_allclose([slopes.mean(), slopes.std()], [0.375, 0.5 / 12**0.5], rtol=0.01)
    np.testing.assert_allclose(np.histogram(slopes, 10, (0.125, 0.625))[0], 10_000, rtol=0.05)


def test_special_values(dtype, isa, backend):
    x = np.array([-INF, -1, -0.0, 0, 1, INF, NAN], dtype)
    y = F.rrelu(x, 0.5, 0.5, True, seed=0)
    np.testing.assert_array_equal(y, [-INF, -0.5, 0, 0, 1, INF, NAN])
    np.testing.assert_array_equal(np.signbit(y[2:4]), [True, False])
    g = F.rrelu_backward(np.ones_like(x), x, 0.5, 0.5, True, seed=0)
    np.testing.assert_array_equal(g, [0.5, 0.5, 0.5, 0.5, 1, 1, 1])
    np.testing.assert_array_equal(F.rrelu_backward(np.ones_like(x), x, 0.5, 0.5), [0.5, 0.5, 0.5, 0.5, 1, 1, 0.5])


@pytest.mark.parametrize("cut", [1, 4, 16, 99, 256])
def test_pieces_have_the_bits_of_the_whole(cut, dtype, isa, threads, rng):
    g, x = draw(rng, (2, 531), dtype)
    keywords = {"training": True, "seed": 1, "stream": 2}
    whole, gradient = F.rrelu(x, start=11, **keywords), F.rrelu_backward(g, x, start=11, **keywords)
    pieces = [F.rrelu(x[:cut], start=11, **keywords), F.rrelu(x[cut:], start=11 + cut, **keywords)]
    assert_same_bits(np.concatenate(pieces), whole)
    pieces = [F.rrelu_backward(g[:cut], x[:cut], start=11, **keywords),
              F.rrelu_backward(g[cut:], x[cut:], start=11 + cut, **keywords)]  # fmt: skip
    assert_same_bits(np.concatenate(pieces), gradient)


def test_out_may_be_an_input(dtype, backend, rng):
    g, x = draw(rng, (2, 100), dtype)
    keywords = {"training": True, "seed": 1}
    y, grad = F.rrelu(x, **keywords), F.rrelu_backward(g, x, **keywords)
    for out, of in ((g.copy(), 0), (x.copy(), 1)):
        arguments = [g, x]
        arguments[of] = out
        assert F.rrelu_backward(*arguments, out=out, **keywords) is out
        assert_same_bits(out, grad)
    assert F.rrelu(x, out=x, **keywords) is x
    assert_same_bits(x, y)


def test_what_is_refused(backend):
    x = np.ones(3)
    for call, error, message in (
        (lambda: F.rrelu(x, training=True), TypeError, "rrelu draws slopes in training: pass a seed, an int"),
        (lambda: F.rrelu(x, 0.5, 0.25), ValueError, "upper must be at least lower, got 0.5 and 0.25"),
        (lambda: F.rrelu(x, NAN), ValueError, "lower must be greater than -inf and less than inf, got nan"),
        (lambda: F.rrelu(x, upper=INF), ValueError, "upper must be greater than -inf and less than inf, got inf"),
        (lambda: F.rrelu(x, "a"), TypeError, "lower must be a number, got str"),
        (lambda: F.rrelu(x, training=1, seed=0), TypeError, "training must be True or False, got int"),
        (lambda: F.rrelu(x, training=True, seed=-1), ValueError, "seed must be at least 0, got -1"),
        (lambda: F.rrelu_backward(np.ones(2), x, training=True, seed=0), ValueError, "shape"),
        (lambda: F.rrelu_backward(np.ones(3, "f"), x, training=True, seed=0), TypeError, "dtype"),
        (lambda: nn.RReLU(0.5, 0.25), ValueError, "upper must be at least lower, got 0.5 and 0.25"),
    ):
        with pytest.raises(error, match=message):
            call()


# -- the layer ---------------------------------------------------------------------------------------------------------


def passes(dtype, rows=40):
    """What the layer makes of numbers in some training passes, behind and before another, and of their gradients."""
    net = nn.Sequential(nn.Tanh(), nn.RReLU(0.25, 0.75), nn.Linear(50, 3, bias=False), seed=7, dtype=dtype)
    net[2].weight = np.eye(50, 3)
    x = np.linspace(-2, 1, 40 * 50).reshape(40, 50)[:rows].astype(dtype)
    return [(net(x), net.backward(np.ones((rows, 3), dtype))) for _ in range(3)]


def test_it_draws_again_in_each_pass_and_the_same_for_the_gradient(dtype, backend):
    net = nn.Sequential(nn.RReLU(0.25, 0.75), seed=7, dtype=dtype)
    x = -np.ones((40, 50), dtype)
    seen = [(net(x), net.backward(x)) for _ in range(3)]
    for (y, gradient), (after, _) in zip(seen, seen[1:] + seen[:1], strict=True):
        assert ((y >= -0.75) & (y <= -0.25)).all()
        assert (y != after).mean() > 0.9
        assert_same_bits(gradient, y)


def test_it_draws_the_same_for_all_backends_threads_and_instruction_sets(isas, cut_small_work, dtype):
    native, reference = in_both_backends(lambda: passes(dtype))
    for ours, theirs in zip(native, reference, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=32 * np.finfo(dtype).eps)
    for isa in WITH_FMA:
        fastnn.set_isa(isa)
        for threads in (1, 2, 3, 5):
            fastnn.set_num_threads(threads)
            for ours, theirs in zip(passes(dtype), native, strict=True):
                for a, b in zip(ours, theirs, strict=True):
                    assert_same_bits(a, b)
    for (y, _), (whole, _) in zip(passes(dtype, rows=8), native, strict=True):
        assert_same_bits(y, whole[:8])


def test_inference_is_a_leaky_relu(backend, rng):
    x = draw(rng, (5, 4), "float32")
    net = nn.Sequential(nn.Linear(4, 3), nn.RReLU(0.25, 0.5), seed=0)
    twin = nn.Sequential(nn.Linear(4, 3), nn.LeakyReLU(0.375), seed=0)
    assert_same_bits(net.predict(x), twin.predict(x))
    net.eval()
    assert_same_bits(net(x), twin.predict(x))
    net[1].lower = 0.5
    assert_same_bits(net(x), nn.Sequential(nn.Linear(4, 3), nn.LeakyReLU(0.5), seed=0).predict(x))
    net[1].lower = 1.0
    with pytest.raises(ValueError, match="upper must be at least lower"):
        net(x)


def test_gradients_in_inference(backend, rng):
    x, g = draw(rng, (4, 3), "float32"), draw(rng, (4, 2), "float32")
    net, twin = (
        nn.Sequential(nn.Linear(3, 4), layer, nn.Linear(4, 2), seed=0)
        for layer in (nn.RReLU(0.25, 0.5), nn.LeakyReLU(0.375))
    )
    assert_same_bits(net.input_gradient(x, g), twin.input_gradient(x, g))


def test_gradients_in_training(backend, rng):
    """The gradient of a pass is that of the slopes which it drew, found from the output."""
    net = nn.Sequential(nn.Linear(3, 4), nn.RReLU(0.25, 0.75), seed=3, dtype="float64")
    x, g = draw(rng, (6, 3)), draw(rng, (6, 4))
    z = F.linear(x, net["0.weight"], net["0.bias"])
    slopes = net(x) / z
    assert ((slopes == 1) == (z > 0)).all()
    grad_x, grad_weight, grad_bias = F.linear_backward(g * slopes, x, net["0.weight"])
    np.testing.assert_allclose(net.backward(g), grad_x, rtol=1e-12)
    for (_, gradient), expected in zip(net.named_gradients(), (grad_weight, grad_bias), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-12)


def test_two_short_runs_do_what_a_long_one_does(dtype, backend):
    def run(*epochs):
        layers = [nn.Linear(3, 4), nn.RReLU(), nn.Linear(4, 4), nn.RReLU(), nn.Linear(4, 2)]
        net = nn.Sequential(*layers, seed=0, dtype=dtype)
        trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.01))
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(40, 3)).astype(dtype), rng.integers(0, 2, 40)
        for n in epochs:
            trainer.fit(x, y, epochs=n, batch_size=16, progress=False)
        return net.parameters().data

    assert_same_bits(run(1, 1), run(2))
