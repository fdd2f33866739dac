"""The parts of a model: steps before, networks, and layers that make probabilities or predictions of their outputs."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline

from ... import nn
from ...nn.module import Module
from ...nn.tracing.functions import Function
from .step_layers import layers_of

Named = list[tuple[str, Any]]  # the steps of a pipeline


def split(estimator: Any) -> tuple[Named, Any]:
    """The steps of a pipeline but the last, and the last one; pipelines at its end are taken apart too."""
    if not isinstance(estimator, Pipeline):
        return [], estimator
    before, last = split(estimator.steps[-1][1])
    return [*estimator.steps[:-1], *before], last


class Mean(Module):
    """The mean of the outputs of several networks.

    Parameters
    ----------
    members : sequence of Module
    """

    def __init__(self, members: Sequence[Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: Any) -> Any:
        """The sum, from the first on, divided by their number."""
        total = self.members[0](x)
        for member in self.members[1:]:
            total = total + member(x)
        return total / len(self.members)


def members(model: Any) -> list[Any]:
    """The estimators whose mean predictions are: those of an ensemble, or the one itself."""
    return model._members() or [model]


def output_network(model: Any) -> nn.Sequential:
    """The layers from the outputs of `network_` to those of `predict_proba` or `predict`, as a network.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor
        Fitted, and no ensemble.
    """
    layers = _of_classifier(model) if is_classifier(model) else _of_regressor(model)
    return nn.Sequential(*layers, dtype=model._current().net.dtype)


def _of_classifier(model: Any) -> list[Module]:
    layers: list[Module] = [nn.Temperature(model.temperature_)] if hasattr(model, "temperature_") else []
    if model.n_outputs_ == 1:  # a column for each of two classes
        return [*layers, nn.Sigmoid(), nn.Concat(Function("affine", (-1.0, 1.0)), nn.Identity())]
    return [*layers, nn.Softmax() if model.out_activation_ == "softmax" else nn.Sigmoid()]


def _of_regressor(model: Any) -> list[Module]:
    layers: list[Module] = [] if model.loss != "quantile" else [nn.Columns(model._middle())]
    return [*layers, Function("exp", ())] if model.out_activation_ == "exp" else layers


def whole_network(estimator: Any) -> nn.Sequential:
    """A network of its own with the outputs of `predict_proba` or `predict`, of an ensemble or a pipeline as well.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor or Pipeline
        Fitted.
    """
    steps, model = split(estimator)
    ones = members(model)
    dtype = ones[0]._current().net.dtype
    wholes = [nn.Sequential(copy.deepcopy(one._current().net), output_network(one), dtype=dtype) for one in ones]
    return nn.Sequential(*layers_of(steps, dtype), wholes[0] if len(wholes) == 1 else Mean(wholes), dtype=dtype)
