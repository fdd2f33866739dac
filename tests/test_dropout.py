"""Dropout, alpha dropout, Gaussian noise and dropout of inputs: what they draw, and when."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.layers import draw, in_both_backends
from test_parametric import WITH_FMA, stored

ALPHA = -1.7580993408473766
NOISES = [
    pytest.param(nn.AlphaDropout, "alpha_dropout", 0.3, id="AlphaDropout"),
    pytest.param(nn.GaussianDropout, "gaussian_dropout", 0.3, id="GaussianDropout"),
    pytest.param(nn.GaussianNoise, "gaussian_noise", 0.5, id="GaussianNoise"),
    pytest.param(nn.Dropout, "dropout", 0.3, id="Dropout"),
]
EVERY_NOISE = pytest.mark.parametrize(("layer", "name", "value"), NOISES)


@pytest.mark.parametrize("p", [0.2, 0.5])
def test_alpha_dropout_has_the_values_of_torch(p, backend):
    """Its masks are others, so what is compared is what becomes of numbers that both keep, or that they drop."""
    a = stored(f"alpha_dropout/{p}")
    x, theirs, ours = a["x"], a["y"], F.alpha_dropout(a["x"], p, seed=0)
    dropped_there, dropped = a["grad_x"] == 0, F.alpha_dropout_backward(np.ones_like(x), p, seed=0) == 0
    assert 0 < dropped.mean() < 1
    both = ~dropped_there & ~dropped
    np.testing.assert_allclose(ours[both], theirs[both], rtol=1e-12)
    np.testing.assert_allclose(np.unique(ours[dropped]), [theirs[dropped_there][0]], rtol=1e-12)
    gradient = F.alpha_dropout_backward(a["g"], p, seed=0)
    np.testing.assert_allclose(gradient[both], a["grad_x"][both], rtol=1e-12)


def test_alpha_dropout_keeps_mean_and_variance(dtype, backend, rng):
    x = rng.normal(size=200_000).astype(dtype)
    for p in (0.1, 0.5, 0.9):
        y = F.alpha_dropout(x, p, seed=1).astype("float64")
        assert abs(y.mean()) < 0.01
        assert y.std() == pytest.approx(1, abs=0.02)


def test_alpha_dropout_at_the_ends(dtype, backend):
    x = np.array([1, -2, np.nan, np.inf, -0.0], dtype)
    np.testing.assert_array_equal(F.alpha_dropout(x, 0.0, seed=0), x)
    np.testing.assert_array_equal(F.alpha_dropout(x, 1.0, seed=0), np.zeros(5))
    np.testing.assert_array_equal(F.alpha_dropout_backward(x, 1.0, seed=0), np.zeros(5))
    assert_same_bits(nn.AlphaDropout(0.0)(x), x)


def test_noise_is_normal(dtype, backend):
    """Moments, quantiles, and no number like its neighbours."""
    from statistics import NormalDist

    n = 100_000 if fastnn.get_backend() == "reference" else 1_000_000
    z = F.gaussian_noise(np.zeros(n, dtype), 1.0, seed=5).astype("float64")
    error = n**-0.5
    np.testing.assert_allclose([(z**k).mean() for k in (1, 2, 3, 4)], [0, 1, 0, 3], atol=50 * error)
    for p in (1e-3, 0.02, 0.3, 0.5, 0.7, 0.98, 0.999):
        assert (z < NormalDist().inv_cdf(p)).mean() == pytest.approx(p, abs=5 * error * (p * (1 - p)) ** 0.5)
    for lag in (1, 2, 3, 4, 64):
        assert abs((z[lag:] * z[:-lag]).mean()) < 5 * error


def test_a_normal_number_is_the_quantile_of_its_word(dtype, isa):
    from statistics import NormalDist

    from fastnn.reference import philox_uint32

    words = philox_uint32(3, 4, 7, 2000).astype("int64")
    signed = np.where(words < 2**31, words, words - 2**32)
    tails = (np.where(signed < 0, -1 - signed, signed) + 0.5) * 2.0**-32
    expected = -np.array([NormalDist().inv_cdf(p) for p in tails]) * np.where(signed < 0, -1, 1)
    z = F.gaussian_noise(np.zeros(2000, dtype), 1.0, seed=3, stream=4, start=7)
    np.testing.assert_allclose(z, expected, rtol=1e-6 if dtype == "float32" else 1e-14, atol=4 * np.finfo(dtype).eps)


def test_gaussian_dropout_has_the_variance_of_dropout(dtype, backend):
    ones = np.ones(200_000, dtype)
    for p in (0.1, 0.5, 0.8):
        y = F.gaussian_dropout(ones, p, seed=1).astype("float64")
        assert y.mean() == pytest.approx(1, abs=0.02)
        assert y.var() == pytest.approx(p / (1 - p), rel=0.05)


@pytest.mark.parametrize("name", ["alpha_dropout", "gaussian_dropout", "gaussian_noise"])
def test_pieces_have_the_bits_of_the_whole(name, dtype, isa, threads, rng):
    function, x = getattr(F, name), draw(rng, 531, dtype)
    whole = function(x, 0.3, seed=1, stream=2, start=11)
    for cut in (1, 4, 16, 99, 256):
        pieces = [
            function(x[:cut], 0.3, seed=1, stream=2, start=11),
            function(x[cut:], 0.3, seed=1, stream=2, start=11 + cut),
        ]
        assert_same_bits(np.concatenate(pieces), whole)


def test_wrong_arguments(backend):
    x = np.ones(3)
    for call, message in (
        (lambda: F.alpha_dropout(x, 1.5, seed=0), "p must be at least 0.0 and at most 1.0, got 1.5"),
        (lambda: F.gaussian_dropout(x, 1.0, seed=0), "p must be at least 0.0 and less than 1.0, got 1.0"),
        (lambda: F.gaussian_noise(x, -1.0, seed=0), "std must be at least 0.0, got -1.0"),
        (lambda: F.gaussian_noise(x, 1.0, seed=-1), "seed must be at least 0, got -1"),
        (lambda: F.gaussian_noise(x, float("nan"), seed=0), "std must be at least 0.0, got nan"),
        (lambda: nn.AlphaDropout(-0.1), "p must be at least 0.0"),
        (lambda: nn.GaussianDropout(1.0), "p must be at least 0.0 and less than 1.0, got 1.0"),
        (lambda: nn.GaussianNoise(-1), "std must be at least 0.0, got -1"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


# -- layers ------------------------------------------------------------------------------------------------------------


def passes(layer, value, dtype, n=3, rows=40):
    """What a layer behind another makes of ones in some training passes, and of their gradients."""
    net = nn.Sequential(nn.ReLU(), layer(value), seed=7, dtype=dtype)
    ones = np.ones((rows, 50), dtype)
    return np.array([[net(ones), net.backward(ones)] for _ in range(n)])


@EVERY_NOISE
def test_layers_draw_anew_in_each_pass_and_backward_again(layer, name, value, dtype, backend):
    forward, backward = np.moveaxis(passes(layer, value, dtype), 1, 0)
    for first, second in ((0, 1), (1, 2), (0, 2)):
        assert (forward[first] != forward[second]).mean() > 0.3
    expected = {
        "dropout": forward,
        "alpha_dropout": np.where(forward > 0, backward.max(), 0),
        "gaussian_dropout": forward,
        "gaussian_noise": np.ones_like(forward),
    }[name]
    np.testing.assert_array_equal(backward, expected)


@EVERY_NOISE
def test_layers_draw_the_same_for_all_backends_threads_and_instruction_sets(
    layer, name, value, isas, cut_small_work, dtype
):
    native, reference = in_both_backends(lambda: passes(layer, value, dtype))
    np.testing.assert_allclose(native, reference, rtol=0, atol=16 * np.finfo(dtype).eps)
    for isa in WITH_FMA:
        fastnn.set_isa(isa)
        for threads in (1, 2, 3, 5):
            fastnn.set_num_threads(threads)
            assert_same_bits(passes(layer, value, dtype), native)
    assert_same_bits(passes(layer, value, dtype, rows=8), native[:, :, :8])


@EVERY_NOISE
def test_inference_is_without_noise(layer, name, value, backend, rng):
    x = draw(rng, (5, 4), "float32")
    net = nn.Sequential(layer(value), nn.Tanh(), seed=0)
    assert_same_bits(net.predict(x), F.tanh(x))
    assert_same_bits(net.eval()(x), F.tanh(x))
    assert (net.train()(x) != F.tanh(x)).any()
    setattr(net[0], net[0].planned[0], 0.0)
    assert_same_bits(net(x), F.tanh(x))


@EVERY_NOISE
def test_noise_on_the_input_trains_and_resumes(layer, name, value, dtype, backend):
    """As the first layer: it drops or disturbs features of the input. Two short runs do what a long one does."""

    def run(*epochs):
        layers = [layer(value), nn.Linear(3, 4), nn.SELU(), layer(value), nn.Linear(4, 2)]
        net = nn.Sequential(*layers, seed=0, dtype=dtype)
        trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.01))
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(40, 3)).astype(dtype), rng.integers(0, 2, 40)
        for n in epochs:
            trainer.fit(x, y, epochs=n, batch_size=16, progress=False)
        return net.parameters().data

    assert_same_bits(run(1, 1), run(2))


@pytest.mark.parametrize("p", [0.125, 0.1, 0.3, 0.9])
def test_what_is_kept_is_rounded_once(p, dtype, isa, backend, rng):
    """Also where 1 / (1 - p) is no number of the dtype: 3 / 0.875 was off by 1.14 ULP in float32."""
    x = np.append(rng.normal(size=1000), 3.0).astype(dtype)
    y = F.dropout(x, p, seed=2)
    expected = (x.astype("float64") * (1 / (1 - p))).astype(dtype)
    np.testing.assert_array_equal(y[y != 0], expected[y != 0])
    assert (y != 0).any()


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
