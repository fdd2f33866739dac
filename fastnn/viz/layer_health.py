"""The health of layers over epochs: dead and saturated units, gradients and updates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ..training.callback import Callback
from ..training.health import Health
from .panels import canvas, finished, grid_lines, whole_epochs

if TYPE_CHECKING:
    from ..training.run import Run

Array = check.Array
MEASURES = {
    "dead": "dead units",
    "saturated": "saturated outputs",
    "grad_norm": "gradient norm",
    "update_ratio": "update / weight",
}


class HealthRecorder(Callback):
    """Keeps `trainer.health(X, y)` of every k-th epoch, and of the beginning, for `health`.

    Parameters
    ----------
    X, y
        Samples to look at: some hundreds are enough. Each look costs about as much as a training step on them.
    epochs : int, default 1
        Between two looks.

    Attributes
    ----------
    records : dict of int to Health
        By epoch; 0 is the beginning.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, optim, viz
    >>> X, y = fastnn.data.make_moons(64, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2), seed=0)
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    >>> recorder = viz.HealthRecorder(X, y)
    >>> history = trainer.fit(X, y, epochs=2, callbacks=[recorder])
    >>> list(recorder.records)
    [0, 1, 2]
    """

    in_checkpoints = False

    def __init__(self, X: Any, y: Any, epochs: int = 1) -> None:
        self.X, self.y = X, y
        self.epochs = check.check_integer("epochs", epochs, at_least=1)
        self.records: dict[int, Health] = {}

    def on_train_begin(self, run: Run) -> None:
        if not self.records:
            self.records[run.epoch] = run.trainer.health(self.X, self.y)

    def on_epoch_end(self, run: Run) -> None:
        if run.epoch % self.epochs == 0:
            self.records[run.epoch] = run.trainer.health(self.X, self.y)

    def __repr__(self) -> str:
        return f"HealthRecorder({len(self.records)} records)"


@errors_of_use
def health(records: Any, *, ax: Any = None, return_data: bool = False) -> Any:
    """Draw the health of layers: dead units, saturated outputs, gradient norms and update ratios, over epochs.

    Parameters
    ----------
    records : Health, HealthRecorder, or dict of epoch to Health
        One Health is drawn layer by layer.
    ax : Axes, or list of 4 of them, optional
    return_data : bool, default False

    Returns
    -------
    figure : Figure
    data : dict, with `return_data=True`
        "epochs" (n,), "layers", their names, and "dead", "saturated", "grad_norm" and "update_ratio", shape
        (n, layers): NaN where a layer has none.

    Raises
    ------
    TypeError, ValueError
        If there is no Health, or they are not of one network.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, optim, viz
    >>> import matplotlib.pyplot as plt
    >>> X, y = fastnn.data.make_moons(64, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2), seed=0)
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    >>> figure, data = viz.health(trainer.health(X, y), return_data=True)
    >>> data["layers"], data["dead"].shape
    (['0 Linear + 1 Tanh', '2 Linear'], (1, 2))
    >>> plt.close("all")
    """
    found = records.records if isinstance(records, HealthRecorder) else records
    found = {0: found} if isinstance(found, Health) else found
    if not isinstance(found, Mapping) or not all(isinstance(one, Health) for one in found.values()):
        raise TypeError(f"records must be a Health, a HealthRecorder or a dict of them, got {type(records).__name__}")
    if not found:
        raise ValueError("there are no records yet: give the HealthRecorder to fit(..., callbacks=[...])")
    layers = [layer.name for layer in next(iter(found.values())).layers]
    if any([layer.name for layer in one.layers] != layers for one in found.values()):
        raise ValueError("records must be of one network: their layers differ")
    values = {m: np.array([[getattr(layer, m) for layer in one.layers] for one in found.values()]) for m in MEASURES}
    epochs = np.array(list(found))
    with canvas(ax, 4, 2, (9.0, 6.0)) as c:
        for one, (measure, title) in zip(c.axes, MEASURES.items(), strict=True):
            _measure(c, one, measure, epochs, layers, values[measure])
            one.set_title(title)
        _shared_legend(c)
    return finished(c.figure, {"epochs": epochs, "layers": layers, **values}, return_data)


def _measure(c: Any, ax: Any, measure: str, epochs: Array, layers: list[str], values: Array) -> None:
    """Lines over epochs, or bars of one epoch; layers are shaded from the first to the last."""
    shades = _shades(c.theme, len(layers))
    shares = measure in ("dead", "saturated")
    if len(epochs) == 1:
        if shares:
            ax.bar(range(len(layers)), values[0], color=shades)
        else:  # on a logarithmic axis a bar would have no foot to stand on
            ax.scatter(range(len(layers)), values[0], s=70, color=shades, zorder=3)
            ax.margins(y=0.25)
        for k, value in enumerate(values[0]):
            if np.isfinite(value):
                ax.annotate(f"{value:.0%}" if shares else f"{value:.2g}", (k, value), (0, 2 if shares else 7),
                            textcoords="offset points", ha="center", va="bottom", fontsize=8)  # fmt: skip
        names = [name.replace(" + ", "\n") if len(layers) < 6 else name.split()[0] for name in layers]
        ax.set_xticks(range(len(layers)), names, fontsize=7 if len(layers) < 6 else 9)
        ax.set_xlabel("layer")
        ax.set_xlim(-0.6, len(layers) - 0.4)
    else:
        for k, layer in enumerate(layers):
            if np.isfinite(values[:, k]).any():
                ax.plot(epochs, values[:, k], color=shades[k], marker=".", label=layer)
        ax.set(xlabel="epoch", xlim=(epochs.min() - 0.3, epochs.max() + 0.3))
        whole_epochs(ax)
    if shares:
        ax.set_ylim(-0.03, 1.1)
        ax.yaxis.set_major_formatter("{x:.0%}")
    elif (values[np.isfinite(values)] > 0).any():
        ax.set_yscale("log")
    if measure == "update_ratio":
        ax.axhline(1e-3, color=c.theme.faint, linestyle=":", linewidth=1.2)
        ax.annotate("usual", (0.01, 1e-3), xycoords=("axes fraction", "data"), va="bottom", fontsize=8)
    if not np.isfinite(values).any():
        ax.text(0.5, 0.5, "no layer has it", ha="center", transform=ax.transAxes, color=c.theme.faint)
    grid_lines(ax)


def _shades(theme: Any, count: int) -> Any:
    """Colours from the first layer to the last."""
    cmap = theme.between(theme.colors[0], theme.colors[1])
    return [cmap(k / max(1, count - 1)) for k in range(count)]


def _shared_legend(c: Any) -> None:
    from matplotlib.patches import Patch

    lines = {label: line for ax in c.axes for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    if lines and not isinstance(next(iter(lines.values())), Patch):
        c.axes[0].legend(lines.values(), lines.keys(), fontsize=8)
