"""What the parameters of the estimators may be, as scikit-learn checks it at the beginning of `fit`."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions

from .. import nn
from ..nn.module import Module

SOLVERS = {"lbfgs", "sgd", "adam"}
STOCHASTIC = ("sgd", "adam")
NORMS = {"batch", "layer", "rms"}
SHARE = Interval(Real, 0, 1, closed="left")
POSITIVE = Interval(Real, 0, None, closed="neither")
NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
COUNT = Interval(Integral, 1, None, closed="left")


def _activations() -> dict[str, type[Module]]:
    """The activations by name: those of scikit-learn, and the layers of fastnn without arguments, in lower case."""
    from ..nn.activations import rectifiers, self_gated, sigmoids

    found = {
        name.lower(): cls
        for name, cls in vars(nn).items()
        if isinstance(cls, type)
        and issubclass(cls, Module)
        and cls.__module__ in (rectifiers.__name__, self_gated.__name__, sigmoids.__name__)
    }
    return found | {"logistic": nn.Sigmoid, "identity": nn.Identity}


ACTIVATIONS = _activations()

# Those of scikit-learn's own pair, in its order.
SAME: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", COUNT],
    "activation": [StrOptions(set(ACTIVATIONS)), "array-like", Module, callable],
    "solver": [StrOptions(SOLVERS)],
    "alpha": [NOT_NEGATIVE],
    "batch_size": [StrOptions({"auto"}), COUNT],
    "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
    "learning_rate_init": [POSITIVE],
    "power_t": [NOT_NEGATIVE],
    "max_iter": [COUNT],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [NOT_NEGATIVE],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="both")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [SHARE],
    "beta_1": [SHARE],
    "beta_2": [SHARE],
    "epsilon": [POSITIVE],
    "n_iter_no_change": [COUNT, Options(Real, {np.inf})],
    "max_fun": [COUNT],
}

# The further keywords of both estimators.
MORE: dict[str, list[Any]] = {
    "dropout": [SHARE, "array-like"],
    "input_dropout": [SHARE],
    "norm": [StrOptions(NORMS), None],
    "residual": ["boolean"],
    "optimizer": [str, callable, None],
    "scheduler": [StrOptions({"cosine", "linear", "one_cycle"}), callable, None],
    "l1": [NOT_NEGATIVE],
    "max_norm": [POSITIVE, None],
    "clip_norm": [POSITIVE, None],
    "clip_value": [POSITIVE, None],
    "validation_data": [tuple, list, HasMethods(["split"]), None],
    "scoring": [str, callable, None],
    "restore_best": ["boolean"],
    "mixup": [NOT_NEGATIVE],
    "averaging": [StrOptions({"ema", "swa"}), Interval(Real, 0, 1, closed="neither"), None],
    "keep_optimizer": ["boolean"],
    "n_estimators": [COUNT],
    "progress": ["boolean"],
}
CONSTRAINTS = SAME | MORE
