"""Losses as curves, and what an outlier does to the best answer of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _validation as check
from .. import functional as F
from .._frames import errors_of_use
from .panels import canvas, finished, grid_lines

Array = check.Array
POINTS = -1.2, -0.7, -0.3, 0.0, 0.1, 0.4, 0.8, 1.1


@errors_of_use
def losses(
    *,
    outlier: float = 8.0,
    delta: float = 1.0,
    classes: int = 3,
    ax: Any = None,
    return_data: bool = False,
) -> Any:
    """Draw the losses: MAE, MSE and Huber by error; their best constant with an outlier; BCE and cross-entropy.

    Parameters
    ----------
    outlier : float, default 8
        The ninth target, beside eight between -1.2 and 1.1.
    delta : float, default 1
        Of the Huber loss, above 0.
    classes : int, default 3
        Of cross-entropy, 2 or more, whose other logits are 0.
    ax : Axes, or list of 4 of them, optional
    return_data : bool, default False

    Returns
    -------
    figure : Figure
    data : dict, with `return_data=True`
        "error" with "MAE", "MSE", "Huber" of it; "targets", "constant" with "MAE of constant" and so on, and "best", a
        dict; "p" with "BCE of 1" and "BCE of 0"; "logit" with "CE".

    Examples
    --------
    >>> from fastnn import viz
    >>> import matplotlib.pyplot as plt
    >>> figure, data = viz.losses(outlier=8.0, return_data=True)
    >>> {name: round(float(best), 2) for name, best in data["best"].items()}
    {'MAE': 0.1, 'MSE': 0.91, 'Huber': 0.2}
    >>> plt.close("all")
    """
    outlier = check.check_number("outlier", outlier, above=-np.inf, below=np.inf)
    delta = check.check_number("delta", delta, above=0.0, below=np.inf)
    classes = check.check_integer("classes", classes, at_least=2, at_most=10_000)
    functions: dict[str, Any] = {
        "MAE": lambda y, t, r: F.l1_loss(y, t, reduction=r),
        "MSE": lambda y, t, r: F.mse_loss(y, t, reduction=r),
        "Huber": lambda y, t, r: F.huber_loss(y, t, delta=delta, reduction=r),
    }
    error, p, logit = np.linspace(-3, 3, 301), np.linspace(0.005, 0.995, 199), np.linspace(-5, 5, 201)
    targets = np.array([*POINTS, outlier])
    c = np.linspace(targets.min() - 0.3, targets.max() + 0.3, 801)
    c = np.sort(np.append(c, [*targets, targets.mean()]))
    data: dict[str, Any] = {"error": error, "targets": targets, "constant": c, "p": p, "logit": logit, "best": {}}
    for name, function in functions.items():
        data[name] = function(error, np.zeros_like(error), "none")
        of_constant = np.array([function(np.full_like(targets, value), targets, "mean") for value in c])
        data[f"{name} of constant"] = of_constant
        data["best"][name] = float(c[of_constant.argmin()])
    for target in (1, 0):
        data[f"BCE of {target}"] = F.binary_cross_entropy(p, np.full_like(p, target), reduction="none")
    rows = np.zeros((len(logit), classes))
    rows[:, 0] = logit
    data["CE"] = F.cross_entropy(rows, np.zeros(len(logit), "int64"), reduction="none")
    with canvas(ax, 4, 2, (9.0, 6.6)) as c4:
        _draw(c4, data, list(functions), classes)
    return finished(c4.figure, data, return_data)


def _draw(c: Any, data: dict[str, Any], names: list[str], classes: int) -> None:
    by_error, by_constant, bce, ce = c.axes
    for i, name in enumerate(names):
        style = {"color": c.theme.color(i), "linestyle": ("-", "--", "-.")[i]}
        by_error.plot(data["error"], data[name], label=name, **style)
        best, curve = data["best"][name], data[f"{name} of constant"]
        by_constant.plot(data["constant"], curve, label=f"{name}: best {best:.2f}", **style)
        by_constant.plot(best, curve.min(), "o", color=c.theme.color(i), markersize=7)
    by_error.set(title="loss of one error", xlabel="prediction - target", ylabel="loss", ylim=(0, 5))
    by_constant.plot(data["targets"], np.full(len(data["targets"]), 0.12), "|", color=c.theme.ink, markersize=11,
                     label="targets")  # fmt: skip
    most = max(1.0, float(np.percentile(data["MSE of constant"], 35)))
    by_constant.set(title="one constant for all targets, an outlier among them", xlabel="constant",
                    ylabel="mean loss", ylim=(0, most))  # fmt: skip
    for i, target in enumerate((1, 0)):
        bce.plot(data["p"], data[f"BCE of {target}"], color=c.theme.color(i), linestyle="--" if i else "-",
                 label=f"target {target}")  # fmt: skip
    bce.set(title="binary cross-entropy", xlabel="predicted probability of class 1", ylabel="loss")
    ce.plot(data["logit"], data["CE"], color=c.theme.color(0), label="loss")
    ce.axhline(np.log(classes), color=c.theme.faint, linestyle=":", label=f"ln {classes}: knows nothing")
    ce.set(title=f"cross-entropy of {classes} classes", xlabel="logit of the right class (others 0)", ylabel="loss")
    for one in c.axes:
        grid_lines(one)
        one.legend(fontsize=8)
