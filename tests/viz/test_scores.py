"""Pictures of classifiers beside counts, and beside scikit-learn."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np

from fastnn import viz

RANDOM = np.random.default_rng(0)
P = RANDOM.dirichlet(np.ones(3), 200).round(2)
P /= P.sum(1, keepdims=True)
Y = np.array([RANDOM.choice(3, p=p) for p in P])
X = np.zeros((200, 1))


def three(_):
    return P


def two(_):
    return np.stack([1 - P[:, 0], P[:, 0]], 1)


def test_confusions_are_counts():
    ax, data = viz.confusion_matrix(three, X, Y, class_names=["a", "b", "c"], return_data=True)
    expected = [[((i == Y) & (P.argmax(1) == j)).sum() for j in range(3)] for i in range(3)]
    assert data["matrix"].tolist() == expected and data["accuracy"] == (P.argmax(1) == Y).mean()
    assert {t.get_text() for t in ax.texts} == {str(n) for row in expected for n in row if n}
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b", "c"]
    _, data = viz.confusion_matrix(three, X, Y, normalize="true", return_data=True)
    np.testing.assert_allclose(data["matrix"], np.array(expected) / np.sum(expected, 1, keepdims=True))


def test_calibration_by_bins():
    y = (Y == 0).astype(int)
    ax, data = viz.calibration(two, X, y, bins=5, return_data=True)
    p, error = two(X)[:, 1], 0.0
    for k in range(5):
        inside = (p >= data["edges"][k]) & ((p < data["edges"][k + 1]) | (k == 4))
        assert data["count"][k] == inside.sum()
        assert data["confidence"][k] == pytest.approx(p[inside].mean())
        assert data["frequency"][k] == pytest.approx(y[inside].mean())
        error += inside.sum() / 200 * abs(p[inside].mean() - y[inside].mean())
    assert data["error"] == pytest.approx(error)
    assert ax.get_xlabel() == "predicted probability of class 1"


def test_calibration_of_three_classes_is_of_the_predicted_one():
    ax, data = viz.calibration(three, X, Y, return_data=True)
    assert data["count"].sum() == 200 and data["count"][:3].sum() == 0  # the largest of three is at least 1/3
    assert np.isnan(data["frequency"][0])
    assert ax.get_ylabel() == "how often it is right"


def test_roc_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    _, data = viz.roc(three, X, Y, return_data=True)
    for k in range(3):
        fpr, tpr, _ = metrics.roc_curve(k == Y, P[:, k], drop_intermediate=False)
        np.testing.assert_allclose(data[str(k)][0], fpr)
        np.testing.assert_allclose(data[str(k)][1], tpr)
        assert data[str(k)][2] == pytest.approx(metrics.roc_auc_score(k == Y, P[:, k]))
        assert np.trapezoid(data[str(k)][1], data[str(k)][0]) == pytest.approx(data[str(k)][2])


def test_two_classes_have_one_curve():
    y = (Y == 0).astype(int)
    ax, data = viz.roc(two, X, y, return_data=True)
    assert list(data) == ["1"] and len(ax.get_lines()) == 2
    assert ax.get_legend().get_texts()[1].get_text() == f"AUC {data['1'][2]:.3f}"


def test_labels_of_an_estimator():
    class Named:
        classes_ = np.array(["no", "yes"])

        def predict_proba(self, x):
            return two(x)

    y = np.where(Y == 0, "yes", "no")
    _, data = viz.confusion_matrix(Named(), X, y, return_data=True)
    assert data["labels"].tolist() == ["no", "yes"] and data["matrix"].sum() == 200
    assert data["matrix"][1, 1] == ((two(X)[:, 1] > 0.5) & (Y == 0)).sum()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: viz.roc(three, X, Y + 1), r"y\[\d+\] is .*3.*, which is none of the 3 classes"),
        (lambda: viz.roc(three, X, np.zeros(200, int)), "y has one class only"),
        (lambda: viz.confusion_matrix(three, X, Y[:5]), r"y must have shape \(200,\), one label for each row"),
        (lambda: viz.confusion_matrix(three, X, Y, class_names="ab"), "class_names must have 3 names"),
        (lambda: viz.calibration(three, X, Y, bins=0), "bins must be at least 1"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
