"""What pictures take for the outputs of a model."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np

import fastnn
from fastnn import nn, optim
from fastnn.viz.models import as_classes, as_samples, network_of, outputs_of

X = np.random.default_rng(0).standard_normal((6, 2))
LABELS = np.array([0, 1, 0, 1, 1, 0])


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def net(*last, units=2):
    return nn.Sequential(nn.Linear(2, units), *last, seed=0, dtype="float64")


def trainer(network, loss):
    return fastnn.Trainer(network, loss, optim.SGD(network.parameters()))


def test_logits_of_classes_become_probabilities():
    network = net(units=3)
    z = X @ network["0.weight"] + network["0.bias"]
    for model, y in ((trainer(network, nn.CrossEntropyLoss()), None), (network, LABELS)):
        outputs = outputs_of(model, y)
        assert outputs.classes
        np.testing.assert_allclose(outputs(X), softmax(z), rtol=1e-12)


def test_one_logit_is_two_probabilities():
    network = net(units=1)
    p = 1 / (1 + np.exp(-(X @ network["0.weight"] + network["0.bias"])))
    np.testing.assert_allclose(
        outputs_of(trainer(network, nn.BCEWithLogitsLoss()), None)(X), np.hstack([1 - p, p]), rtol=1e-12
    )
    squashed = net(nn.Sigmoid(), units=1)
    p = 1 / (1 + np.exp(-(X @ squashed["0.weight"] + squashed["0.bias"])))
    np.testing.assert_allclose(outputs_of(squashed, None)(X), np.hstack([1 - p, p]), rtol=1e-12)


def test_layers_that_give_probabilities_are_taken_at_their_word():
    network, plain = net(nn.Softmax(), units=3), net(units=3)
    for one in (network, net(nn.LogSoftmax(), units=3)):
        np.testing.assert_allclose(outputs_of(one, None)(X), softmax(plain.predict(X)), rtol=1e-12)


def test_one_output_for_labels_minus_one_and_one():
    network = net(nn.Tanh(), units=1)
    p = (1 + network.predict(X)) / 2
    np.testing.assert_allclose(outputs_of(network, 2 * LABELS - 1)(X), np.hstack([1 - p, p]), rtol=1e-12)


def test_numbers_stay_numbers():
    network = net(units=1)
    outputs = outputs_of(trainer(network, nn.MSELoss()), X[:, 0])
    assert not outputs.classes
    np.testing.assert_allclose(outputs(X), network.predict(X))
    assert not outputs_of(net(units=2), LABELS, "numbers").classes


def test_counts_are_no_classes_of_one_output():
    """Whole targets of a regression, of which there are more than two."""
    model = trainer(net(units=1), nn.PoissonNLLLoss())
    assert not outputs_of(model, np.array([0, 1, 2, 5, 3, 1])).classes
    assert outputs_of(trainer(net(units=1), nn.MSELoss()), LABELS).classes


def test_outputs_trained_to_be_one_hot_are_no_logits():
    network = net(units=3)
    z = np.clip(network.predict(X), 0, 1) + 0.0
    model = trainer(network, nn.MSELoss())
    total = z.sum(1, keepdims=True)
    expected = np.where(total > 0, z / np.where(total > 0, total, 1), 1 / 3)
    np.testing.assert_allclose(outputs_of(model, None, "classes")(X), expected, rtol=1e-12)


def test_functions_and_estimators():
    class Estimator:
        def predict_proba(self, x):
            return np.full((len(x), 2), 0.5)

        def predict(self, x):
            return np.zeros(len(x))

    assert outputs_of(Estimator(), None).classes
    assert not outputs_of(Estimator(), None, "numbers").classes
    assert outputs_of(lambda x: x[:, 0], None)(X).shape == (6, 1)
    with pytest.raises(TypeError, match="model must be a network, a trainer, an estimator or a function"):
        outputs_of(3, None)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: 3 * x[:, 0], "which are no probabilities of classes: end with a softmax, or draw them with kind"),
        (lambda x: np.full((len(x), 3), 0.5), "no probabilities"),
        (lambda x: x[:, 0] * np.nan, "not all finite: it has diverged"),
        (lambda x: np.zeros(3), r"the model must give 6 rows for as many, got shape \(3, 1\)"),
    ],
)
def test_outputs_that_cannot_be_drawn(function, message):
    with pytest.raises(ValueError, match=message):
        outputs_of(function, LABELS)(X)


def test_networks_of_models():
    network = net()
    assert network_of(network) is network and network_of(trainer(network, nn.MSELoss())) is network
    with pytest.raises(TypeError, match="expected a network or a trainer, got str"):
        network_of("net")


def test_networks_of_estimators():
    pytest.importorskip("sklearn", minversion="1.9")
    from fastnn.sklearn import MLPClassifier

    model = MLPClassifier((4,), max_iter=2, random_state=0)
    with pytest.warns(UserWarning, match="converge"):
        model.fit(X, LABELS)
    assert network_of(model).in_features == 2


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([1.0, 2.0], r"X must be numbers of shape \(rows, features\), got shape \(2,\)"),
        ([[1.0, np.nan]], r"X\[0, 1\] is nan: pictures need finite numbers"),
        (np.empty((0, 2)), r"got shape \(0, 2\)"),
    ],
)
def test_samples_that_are_none(x, message):
    with pytest.raises(ValueError, match=message):
        as_samples(x)


def test_labels():
    index, names = as_classes(np.array(["b", "a", "b"]), 3)
    assert index.tolist() == [1, 0, 1] and names.tolist() == ["a", "b"]
    index, names = as_classes([2, 0], 2)  # a class that does not occur keeps its place
    assert index.tolist() == [2, 0] and names.tolist() == [0, 1, 2]
    assert as_classes([1, -1], 2)[0].tolist() == [1, 0]
    with pytest.raises(ValueError, match=r"y\[1\] is .*7.*, which is none of the 2 classes: \[0, 1\]"):
        as_classes([0, 7], 2, [0, 1])
    with pytest.raises(ValueError, match=r"y must have shape \(2,\), one label for each row of X, got \(3,\)"):
        as_classes([0, 1, 2], 2)
