"""scikit-learn's multi-layer perceptrons."""

from __future__ import annotations

from typing import Any

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier, MLPRegressor

from .. import data
from ..cases import Case, Network
from .common import LEARNING_RATE, Run, imported, repeated

VERSION = f"scikit-learn {sklearn.__version__}"
ACTIVATIONS = {"ReLU": "relu", "Tanh": "tanh", "Sigmoid": "logistic"}
SOLVERS = {"SGD": "sgd", "Adam": "adam"}


def model(network: Network, dtype: str) -> Any:
    """A model with the weights of the case; None if scikit-learn does not support the network."""
    classifier = network.loss == "CrossEntropyLoss"
    binary = classifier and network.features[-1] == 2  # scikit-learn has one output for two classes
    if network.activation not in ACTIVATIONS or network.optimizer not in SOLVERS or binary:
        return None
    kind = MLPClassifier if classifier else MLPRegressor
    made = kind(
        hidden_layer_sizes=network.features[1:-1],
        activation=ACTIVATIONS[network.activation],
        solver=SOLVERS[network.optimizer],
        alpha=0.0,
        batch_size=network.rows,
        learning_rate_init=LEARNING_RATE,
        momentum=network.momentum,
        nesterovs_momentum=False,
        shuffle=False,
    )
    _begin(made, network, dtype)
    for i, (weight, bias) in enumerate(data.weights(network, dtype)):
        made.coefs_[i][...], made.intercepts_[i][...] = weight, bias
    return made


def _begin(made: Any, network: Network, dtype: str) -> None:
    """Train on a first batch, at which the model allocates its arrays."""
    x, y = data.batches(network, dtype)
    classes = {"classes": np.arange(network.features[-1])} if isinstance(made, MLPClassifier) else {}
    made.partial_fit(x, _target(y), **classes)


def _target(y: Any) -> Any:
    """Targets in the format of scikit-learn: a vector if there is one output."""
    return y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y


def fit(case: Case) -> Run | None:
    """Epochs of `fit`."""
    return _trained(case.network, case.dtype, case.parts)


def step(case: Case) -> Run | None:
    """One batch."""
    return _trained(case.network, case.dtype, 1)


def _trained(network: Network, dtype: str, steps: int) -> Run | None:
    made, (x, y) = model(network, dtype), data.batches(network, dtype, steps)
    if made is None:
        return None
    target = _target(y)
    return repeated(lambda: made.partial_fit(x, target).loss_)  # one pass over the batches


def predict(case: Case) -> Run | None:
    """Probabilities, or values."""
    made, (x, _) = model(case.network, case.dtype), data.batches(case.network, case.dtype)
    if made is None:
        return None
    return repeated(lambda: made.predict_proba(x) if hasattr(made, "predict_proba") else made.predict(x))


def startup(case: Case) -> Run:
    """The import."""
    return imported("sklearn.neural_network")
