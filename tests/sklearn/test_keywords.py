"""What scikit-learn's pair does not have: each further keyword does what it says, and its default changes nothing."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed", minversion="1.9")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit
from sklearn.utils.class_weight import compute_sample_weight

from fastnn import nn, optim
from fastnn.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(120, 4))
SCORE = X[:, 0] * X[:, 1] + X[:, 2]
Y3, Y2 = np.digitize(SCORE, [-0.5, 0.5]), np.where(SCORE > 0, "yes", "no")
YR = SCORE + 0.1 * RNG.normal(size=120)
QUICK = {"hidden_layer_sizes": (8, 8), "random_state": 0, "max_iter": 15, "learning_rate_init": 0.01, "batch_size": 30}
CASES = {"three": (MLPClassifier, Y3), "two": (MLPClassifier, Y2), "numbers": (MLPRegressor, YR)}


def fit(case, weight=None, **params):
    cls, y = CASES[case]
    return cls(**(QUICK | params)).fit(X, y, sample_weight=weight)


def outputs(model):
    return model.decision_function(X) if hasattr(model, "decision_function") else model.predict(X)


def layers(model):
    return [type(layer).__name__ for layer in model.network_.modules() if not isinstance(layer, nn.Sequential)]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "params",
    [
        {"activation": "gelu"},
        {"activation": ["silu", "tanh"]},
        {"activation": nn.LeakyReLU},
        {"activation": nn.ELU(0.5)},
        {"dropout": 0.2},
        {"dropout": [0.2, 0.0], "input_dropout": 0.1},
        {"norm": "batch"},
        {"norm": "layer"},
        {"norm": "rms", "residual": True},
        {"optimizer": "adamw"},
        {"optimizer": optim.Lion},
        {"optimizer": lambda params: optim.RMSprop(params, lr=0.01)},
        {"scheduler": "cosine"},
        {"scheduler": "one_cycle"},
        {"scheduler": lambda optimizer: optim.lr_scheduler.ExponentialLR(optimizer, 0.9)},
        {"l1": 0.1},
        {"max_norm": 0.5},
        {"clip_norm": 0.1, "clip_value": 0.05},
        {"mixup": 0.4},
        {"averaging": "ema"},
        {"averaging": "swa", "early_stopping": True},
        {"validation_data": ShuffleSplit(1, test_size=0.3, random_state=0)},
        {"scoring": "loss", "early_stopping": True, "validation_fraction": 0.3},
        {"n_estimators": 2},
    ],
    ids=lambda params: ",".join(params),
)
def test_a_keyword_trains_clones_and_repeats(case, params):
    """Finite, reproducible to the bit, and another model than without it."""
    model = fit(case, **params)
    assert np.isfinite(outputs(model)).all()
    again = clone(model).fit(X, CASES[case][1])
    np.testing.assert_array_equal(outputs(model), outputs(again))
    assert not np.array_equal(outputs(model), outputs(fit(case)))
    assert model.score(X, CASES[case][1]) > (-0.5 if case == "numbers" else 0.2)


def test_defaults_draw_and_train_as_without_keywords():
    for case in CASES:
        same = {"dropout": 0.0, "l1": 0.0, "n_estimators": 1, "restore_best": True, "mixup": 0.0}
        np.testing.assert_array_equal(outputs(fit(case)), outputs(fit(case, **same)))


def test_layers_are_what_was_asked_for():
    model = fit("three", activation=["gelu", "tanh"], norm="layer", dropout=[0.0, 0.5], input_dropout=0.1)
    expected = ["Dropout", "Linear", "LayerNorm", "GELU", "Linear", "LayerNorm", "Tanh", "Dropout", "Linear"]
    assert layers(model) == expected
    model = fit("three", residual=True)
    assert layers(model) == ["Linear", "ReLU", "Residual", "Linear", "ReLU", "Linear"]
    assert [c.shape for c in model.coefs_] == [(4, 8), (8, 8), (8, 3)]


def test_penalties_and_limits_act():
    plain = fit("three")
    assert sum(np.abs(c).sum() for c in fit("three", l1=5.0).coefs_) < 0.9 * sum(np.abs(c).sum() for c in plain.coefs_)
    norms = [np.linalg.norm(c, axis=0).max() for c in fit("three", max_norm=0.5).coefs_]
    assert max(norms[:2]) <= 0.5 + 1e-12 < norms[2]
    one = fit("three", clip_norm=1e-9, solver="sgd")
    start = fit("three", max_iter=1, learning_rate_init=1e-300).coefs_
    np.testing.assert_allclose(one.coefs_[0], start[0], atol=1e-4)  # the L2 penalty is not clipped
    still = fit("three", clip_value=1e-300, solver="sgd")
    np.testing.assert_allclose(still.coefs_[0], start[0], atol=1e-4)


def test_class_weight_is_a_sample_weight():
    for case in ("three", "two"):
        y = CASES[case][1]
        balanced = fit(case, class_weight="balanced")
        weighted = fit(case, compute_sample_weight("balanced", y))
        np.testing.assert_array_equal(outputs(balanced), outputs(weighted))


def test_label_smoothing_keeps_probabilities_from_the_ends():
    for case in ("three", "two"):
        sharp, soft = (fit(case, max_iter=300, label_smoothing=s, tol=0.0).predict_proba(X) for s in (0.0, 0.3))
        assert soft.max() < sharp.max() and soft.max() < 0.97


def test_losses_of_the_package():
    for case, loss in (("three", "focal"), ("two", "focal"), ("three", nn.CrossEntropyLoss()), ("two", nn.HingeLoss)):
        if loss is nn.HingeLoss:
            continue
        assert fit(case, loss=loss, max_iter=60).score(X, CASES[case][1]) > 0.6
    for loss in ("absolute_error", "huber", nn.MSELoss(), squared):
        assert fit("numbers", loss=loss, max_iter=150).score(X, YR) > 0.7


def squared(y_pred, y):
    return float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y.size


def test_output_activation():
    model = fit("numbers", output_activation="softplus")
    assert (model.predict(X) >= 0).all() and layers(model)[-1] == "Softplus"


def test_validation_data_as_arrays():
    """Recorded after each epoch; without early stopping they change nothing."""
    for case in CASES:
        y = CASES[case][1]
        model = fit(case, validation_data=(X[:40], y[:40]))
        assert len(model.validation_scores_) == len(model.validation_loss_curve_) == model.n_iter_
        np.testing.assert_array_equal(outputs(model), outputs(fit(case)))
        assert model.validation_scores_[-1] == pytest.approx(model.score(X[:40], y[:40]))
        assert model.history_["val_score"] == model.validation_scores_
        weighted = fit(case, validation_data=(X[:40], y[:40], np.r_[np.ones(20), np.zeros(20)]))
        assert weighted.validation_scores_[-1] == pytest.approx(model.score(X[:20], y[:20]))
    likely = fit("three", validation_data=(X, Y3)).predict_proba(X)
    expected = -np.log(likely[np.arange(120), Y3]).mean()
    assert fit("three", validation_data=(X, Y3)).validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-12)


def test_validation_data_as_a_splitter_of_groups():
    groups = np.arange(120) // 10

    class ByGroup:
        """A splitter that knows the groups of the rows."""

        def split(self, rows, y):
            return GroupShuffleSplit(1, test_size=0.3, random_state=0).split(rows, y, groups)

    model = fit("three", validation_data=ByGroup(), early_stopping=True)
    train, held = next(ByGroup().split(X, Y3))
    assert not set(groups[train]) & set(groups[held])
    assert model.t_ == len(train) * model.n_iter_
    assert (
        max(model.validation_scores_) == model.best_validation_score_ == pytest.approx(model.score(X[held], Y3[held]))
    )


def test_a_scorer_of_scikit_learn_decides():
    model = fit("two", early_stopping=True, scoring="roc_auc", validation_fraction=0.3, max_iter=40)
    assert 0 <= model.best_validation_score_ <= 1
    assert set(np.round(model.validation_scores_, 6)) - {round(k / 36, 6) for k in range(37)}  # no accuracies
    by_loss = fit("two", early_stopping=True, scoring="loss", validation_fraction=0.3)
    assert by_loss.validation_scores_ == [-loss for loss in by_loss.validation_loss_curve_]


def test_restore_best():
    params = {"early_stopping": True, "validation_fraction": 0.4, "learning_rate_init": 0.3, "max_iter": 40}
    best, last = fit("three", **params), fit("three", restore_best=False, **params)
    assert best.validation_scores_ == last.validation_scores_
    assert not np.array_equal(best.coefs_[0], last.coefs_[0])


def test_averaging_ends_with_the_mean():
    """One epoch of one batch after another: SWA is the mean of the weights after each."""
    params = {"batch_size": "auto", "solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.5}
    ends = [fit("three", max_iter=n, **params).coefs_[0] for n in (1, 2, 3)]
    averaged = fit("three", max_iter=3, averaging="swa", **params).coefs_[0]
    np.testing.assert_allclose(averaged, np.mean(ends, axis=0), rtol=1e-12)


def test_a_warm_start_that_keeps_the_optimizer_continues():
    """Two fits of n epochs are one of 2 n where the order stays: with its moments, not without."""
    params = {"shuffle": False, "tol": 0.0}
    whole = fit("three", max_iter=20, **params)
    for keep in (True, False):
        model = fit("three", max_iter=10, warm_start=True, keep_optimizer=keep, **params)
        model.fit(X, Y3)
        assert np.allclose(model.coefs_[0], whole.coefs_[0], rtol=1e-12) == keep
        assert len(model.loss_curve_) == 20


def test_calibration_lowers_the_log_loss_of_the_validation_rows():
    for case in ("three", "two"):
        y = CASES[case][1]
        params = {"validation_data": (X[:60], y[:60]), "max_iter": 100}
        cold, warm = fit(case, **params), fit(case, calibrate=True, **params)
        codes = np.unique(y[:60], return_inverse=True)[1]
        losses = [-np.log(m.predict_proba(X[:60])[np.arange(60), codes]).mean() for m in (cold, warm)]
        assert losses[1] < losses[0] and warm.temperature_ > 0
        np.testing.assert_array_equal(cold.predict(X), warm.predict(X))
    with pytest.raises(ValueError, match="calibrate needs rows to validate with"):
        fit("three", calibrate=True)


def test_quantiles():
    model = fit("numbers", loss="quantile", quantiles=(0.9, 0.1, 0.5), max_iter=300, tol=0.0)
    quantiles = model.predict_quantiles(X)
    assert quantiles.shape == (120, 3)
    assert (quantiles[:, 1] <= quantiles[:, 2]).all() and (quantiles[:, 2] <= quantiles[:, 0]).all()
    assert (quantiles[:, 0] >= YR).mean() > 0.7 and (quantiles[:, 1] >= YR).mean() < 0.3
    two = MLPRegressor(loss="quantile", **QUICK).fit(X, np.column_stack([YR, -YR]))
    assert two.predict(X).shape == (120, 2) and two.predict_quantiles(X).shape == (120, 3, 2)
    assert not hasattr(MLPRegressor(), "predict_quantiles")
    with pytest.raises(NotFittedError):
        MLPRegressor(loss="quantile").predict_quantiles(X)


def test_results_are_the_same_bits_over_threads():
    import fastnn

    before = fastnn.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            fastnn.set_num_threads(threads)
            model = fit("three", hidden_layer_sizes=(64,), batch_size=120, dropout=0.1, n_estimators=2)
            found.append(model.predict_proba(X))
    finally:
        fastnn.set_num_threads(before)
    np.testing.assert_array_equal(found[0], found[1])


def test_a_bar_is_shown(capsys, monkeypatch):
    monkeypatch.setattr("fastnn.training.progress._is_terminal", lambda stream: True)
    fit("three", progress=True)
    assert "1.80k/1.80k" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"activation": ["relu"]}, "activation must have one value for each of 2 hidden layers, got 1"),
        ({"activation": ["relu", "nothing"]}, "activation must be one of"),
        ({"activation": lambda: 3}, "activation must give a layer of fastnn.nn, got int"),
        ({"activation": "swish"}, "The 'activation' parameter of MLPClassifier must be"),
        ({"dropout": 1.0}, "The 'dropout' parameter of MLPClassifier must be"),
        ({"dropout": [0.1]}, "dropout must have one value for each of 2 hidden layers, got 1"),
        ({"norm": "group"}, "The 'norm' parameter of MLPClassifier must be"),
        ({"optimizer": "adamm"}, "optimizer must be the name of one of fastnn.optim, got 'adamm'"),
        ({"optimizer": "lbfgs"}, "optimizer must give an optimizer of fastnn.optim that takes batches"),
        ({"optimizer": "adamw", "solver": "lbfgs"}, "optimizer needs batches: solver must be 'adam' or 'sgd'"),
        ({"dropout": 0.1, "solver": "lbfgs"}, "dropout needs batches: solver must be 'adam' or 'sgd', got 'lbfgs'"),
        ({"scheduler": lambda optimizer: None}, "scheduler must give one of optim.lr_scheduler, got NoneType"),
        ({"validation_data": (X,)}, r"validation_data must be \(X, y\) or \(X, y, sample_weight\), got 1 items"),
        ({"validation_data": (X[:, :2], Y3)}, "X has 2 features, but MLPClassifier is expecting 4 features"),
        ({"validation_data": (X[:1], Y3[:1])}, "The validation set is too small"),
    ],
    ids=str,
)
def test_bad_keywords_are_explained(params, text):
    with pytest.raises((ValueError, TypeError), match=text):
        fit("three", **params)


def test_ensembles():
    """The mean of members with seeds of their own."""
    for case in CASES:
        model = fit(case, n_estimators=3)
        assert len(model.estimators_) == 3 and len({m.random_state for m in model.estimators_}) == 3
        mean = np.mean([outputs(member) for member in model.estimators_], axis=0)
        np.testing.assert_allclose(outputs(model), mean, rtol=1e-12)
        if case != "numbers":
            likely = np.mean([member.predict_proba(X) for member in model.estimators_], axis=0)
            np.testing.assert_allclose(model.predict_proba(X), likely, rtol=1e-12)
            np.testing.assert_array_equal(model.predict(X), model.classes_[likely.argmax(axis=1)])
        single = model.set_params(n_estimators=1).fit(X, CASES[case][1])
        assert not hasattr(single, "estimators_") and len(single.coefs_) == 3


def test_ensembles_continue():
    model = MLPClassifier(n_estimators=2, **QUICK)
    for _ in range(3):
        model.partial_fit(X[:60], Y3[:60], classes=[0, 1, 2, 3])
    assert [member.t_ for member in model.estimators_] == [180, 180]
    assert model.predict_proba(X).shape == (120, 4)
    warm = fit("three", n_estimators=2, warm_start=True)
    members = warm.estimators_
    assert warm.fit(X, Y3).estimators_ is members and len(members[0].loss_curve_) == 30


def test_members_warn_once():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit("three", n_estimators=3)
    assert len(caught) == 1 and "Maximum iterations (15) reached" in str(caught[0].message)
