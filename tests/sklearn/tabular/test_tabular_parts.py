"""The parts of the tabular estimators, each by numbers that are derived here."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed", minversion="1.9")

from fastnn import nn
from fastnn.sklearn.tabular.columns import Codes, Constant, Number, OneHot, Time, encode
from fastnn.sklearn.tabular.encoding import Encoder
from fastnn.sklearn.tabular.fitting import deal
from fastnn.sklearn.tabular.importance import permutation_importances
from fastnn.sklearn.tabular.intervals import conformal_width
from fastnn.sklearn.tabular.network import Recipe, build, coslog, make_optimizer
from fastnn.sklearn.tabular.reading import Column

RNG = np.random.RandomState(0)


def column(values, kind="number"):
    return Column("a", kind, np.array(values, object if kind == "category" else "float64"))


def encoded(values, kind="number", most=3, embedding=None, features=4):
    given = column(values, kind)
    return encode(given, most, embedding, features, np.random.RandomState(0)), given


def test_numbers_are_scaled_by_quartiles_clipped_and_filled():
    made, given = encoded([0.0, 1.0, 2.0, 3.0, np.nan, 100.0])
    assert isinstance(made, Number) and made.width == 2
    scaled = (np.array([0.0, 1.0, 2.0, 3.0, 2.0, 100.0]) - 2.0) / (3.0 - 1.0)  # the median, the quartiles 1 and 3
    want = scaled / np.sqrt(1 + scaled**2 / 9)
    np.testing.assert_allclose(made.numbers(given), np.stack([want, [0, 0, 0, 0, 1, 0]], 1), rtol=1e-12)


def test_equal_quartiles_take_half_the_range():
    made, given = encoded([5.0] * 8 + [9.0])
    assert made.center == 5.0 and made.factor == 0.5
    np.testing.assert_allclose(made.numbers(given)[-1], [2 / np.sqrt(1 + 4 / 9)])


def test_piecewise_features_sum_to_the_place_among_the_edges():
    made, given = encoded(np.linspace(-1, 1, 41), embedding="piecewise")
    numbers = made.numbers(given)
    assert numbers.shape == (41, 5)
    np.testing.assert_allclose(numbers[:, 1:].sum(1), np.linspace(0, 4, 41), atol=0.05)  # a little bent by clipping
    assert (np.diff(numbers[:, 1:].sum(1)) > 0).all()


def test_periodic_features_are_cosines():
    made, given = encoded([0.0, 1.0, 2.0, np.nan], embedding="periodic", features=3)
    numbers = made.numbers(given)
    want = np.cos(numbers[:, :1] * made.frequencies + made.phases) * [[1], [1], [1], [0]]
    np.testing.assert_allclose(numbers[:, 2:], want)


def test_categories_by_their_number():
    made, given = encoded(["x", "y", "x"], "category")
    assert isinstance(made, OneHot)
    np.testing.assert_array_equal(made.numbers(given), [[-1], [1], [-1]])
    np.testing.assert_array_equal(made.numbers(column(["y", "new", None], "category")), [[1], [0], [0]])
    made, given = encoded(["x", "y", None], "category")
    np.testing.assert_array_equal(made.numbers(given), np.eye(3))
    made, given = encoded(["d", "c", "b", "a"], "category")
    assert isinstance(made, Codes) and made.codes == 5
    np.testing.assert_array_equal(made.code(column(["a", "d", "new", None], "category")), [1, 4, 0, 0])
    assert isinstance(encoded(["x", "x"], "category")[0], Constant)
    assert isinstance(encoded([1.0, 1.0])[0], Constant) and isinstance(encoded([np.nan, np.nan])[0], Constant)
    assert isinstance(encoded([1.0, np.nan])[0], Number)  # whether it is there says something


def test_times_have_the_periods_in_which_they_vary():
    days = np.arange(0, 800.0) * 86400  # of one time of day: no third period
    made, given = encoded(days, "time")
    assert isinstance(made, Time) and len(made.periods) == 2
    numbers = made.numbers(given)
    assert numbers.shape == (800, 5)
    np.testing.assert_allclose(numbers[:, 3], np.sin(2 * np.pi * (np.arange(800) % 7) / 7), atol=1e-9)


def test_an_encoder_places_numbers_first_and_codes_last():
    x = np.array([["a", 1.0, "p", 5.0], ["b", 2.0, "q", 5.0], ["c", 3.0, "p", 5.0]], object)
    encoder = Encoder(None, 2, None, 4, RNG)
    matrix = encoder.fit(x)
    assert encoder.groups() == [([2], 0), ([0], 1), ([1], 2), ([], 3)] and encoder.dropped() == [3]
    assert encoder.tables() == [4] and matrix.dtype == np.float32
    np.testing.assert_allclose(matrix[:, [1, 2]], [[-1, 1], [1, 2], [-1, 3]])
    again = Encoder.of_state(encoder.state())
    np.testing.assert_array_equal(again.transform(x), matrix)


def test_folds_are_balanced():
    labels = np.repeat([0, 1, 2], [40, 9, 3])
    folds = deal(labels, 52, 4, np.random.RandomState(0))
    for label in range(3):
        counts = np.bincount(folds[labels == label], minlength=4)
        assert np.ptp(counts) <= 1
    assert np.bincount(deal(None, 10, 3, RNG)).tolist() == [4, 3, 3]


def test_the_network_is_the_recipe():
    net = build(Recipe(3, [5], 2, [16], "selu", 0.0, 8), seed=0)
    x = np.array([[0.5, -1, 2, 0], [0.5, -1, 2, 4]], "float32")
    assert not net(x).any()  # output layers start as 0
    state = net.state_dict()
    assert sorted(v.shape for v in state.values()) == [(2,), (3,), (5, 5), (8, 16), (16,), (16, 2)]
    assert Recipe(3, [5], 2, [16], "selu", 0.0, 8).size() == 206  # 3 + 25 + 9 * 16 + 17 * 2
    table = next(v for v in state.values() if v.shape == (5, 5))
    assert not table[0].any() and table[1:].any()
    optimizer = make_optimizer(net, 0.08, 0.02)
    rates = {name: group["lr"] for group in optimizer.param_groups for name in group["params"]}
    by_shape = {p.data.shape: rates[p.name] for p in net.parameters()}
    want = {(8, 16): 0.08 / 8**0.5, (16, 2): 0.02, (16,): 0.008, (2,): 0.008, (3,): 0.48, (5, 5): 0.08}
    assert by_shape == pytest.approx(want)


def test_plain_layers_train_as_neural_tangent_ones():
    """Adam with rate / sqrt(n) on W / sqrt(n) takes the steps of the published layers, written out here."""
    rng = np.random.default_rng(0)
    x, y, rate = rng.normal(size=(32, 4)).astype("float32"), rng.normal(size=(32, 1)).astype("float32"), 0.05
    net = build(Recipe(4, [], 1, [], "mish", 0.0, 8), seed=0)
    import fastnn

    trainer = fastnn.Trainer(net, nn.MSELoss(), make_optimizer(net, rate, 0.0))
    s, w, b = np.ones(4), np.zeros((4, 1)), np.zeros(1)
    moments = [[np.zeros_like(p), np.zeros_like(p)] for p in (s, w, b)]
    for t in range(1, 6):
        trainer.step(x, y)
        error = 2 * ((x * s) @ w / 2 + b - y) / 32
        grads = [((error @ w.T / 2) * x).sum(0), (x * s).T @ error / 2, error.sum(0)]
        for p, g, m, r in zip((s, w, b), grads, moments, (6 * rate, rate, 0.1 * rate), strict=True):
            m[0], m[1] = 0.9 * m[0] + 0.1 * g, 0.95 * m[1] + 0.05 * g**2
            p -= r * m[0] / (1 - 0.9**t) / (np.sqrt(m[1] / (1 - 0.95**t)) + 1e-8)
    np.testing.assert_allclose(net(x), (x * s) @ w / 2 + b, rtol=1e-3, atol=1e-4)


def test_rates_go_in_four_cycles():
    factor = coslog(1599)
    got = np.array([factor(i) for i in range(1599)])
    t = (2.0 ** np.arange(5) - 1) / 15  # where cycles end: log2(1 + 15 t) is an integer
    assert [got[min(1598, max(0, round(1600 * end) - 1))] < 0.01 for end in t] == [True] * 5
    assert got[round(1600 * (2**0.5 - 1) / 15) - 1] == pytest.approx(1.0, abs=1e-3)


def test_importance_is_that_of_scikit_learn():
    from sklearn.inspection import permutation_importance
    from sklearn.linear_model import LinearRegression

    x = np.random.RandomState(1).normal(size=(60, 3))
    y = x @ [3.0, 1.0, 0.0]
    model = LinearRegression().fit(x, y)
    orders = np.random.RandomState(5)
    got = permutation_importances(
        model.predict,
        lambda p: 1 - ((p - y) ** 2).sum() / ((y - y.mean()) ** 2).sum(),
        x,
        [[0], [1], [2], []],
        60,
        orders,
    )
    theirs = permutation_importance(model, x, y, n_repeats=60, random_state=0).importances_mean
    np.testing.assert_allclose(got.mean(1), [*theirs, 0.0], rtol=0.2, atol=1e-12)


def test_widths_are_order_statistics():
    errors = np.arange(1.0, 100.0)[:, None]  # 99 rows
    assert conformal_width(errors[::-1], 0.9) == [90.0]
    assert conformal_width(errors, 0.99) == [99.0]
    assert conformal_width(errors, 0.995) == [np.inf]
    for coverage in (0.0, 1.0, 90):
        with pytest.raises(ValueError, match="coverage must be between 0 and 1"):
            conformal_width(errors, coverage)
