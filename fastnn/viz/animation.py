"""Training as an animation: a picture of the network at each snapshot of a Recorder."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from .boundary import decision_boundary, units
from .diagram import network, weights
from .landscape import loss_landscape
from .panels import finished, new_figure
from .paths import trace
from .recorder import Recorder
from .saving import figure_of
from .theme import THEMES, style, theme_for
from .warp import warp_grid

Array = check.Array
OF_DATA: dict[str, Callable[..., Any]] = {"boundary": decision_boundary, "warp": warp_grid, "units": units}
OF_NETWORK: dict[str, Callable[..., Any]] = {"weights": weights, "network": network}
WHAT = (*OF_DATA, *OF_NETWORK, "landscape")
PROBED = 5  # frames that are drawn beforehand, for limits that hold for all


@errors_of_use
def animate(
    recorder: Recorder,
    what: Any = "boundary",
    X: Any = None,
    y: Any = None,
    *,
    frames: int = 60,
    interval: float = 80,
    return_data: bool = False,
    **options: Any,
) -> Any:
    """Make an animation of training from the snapshots of a Recorder.

    Parameters
    ----------
    recorder : Recorder
        After `fit(..., callbacks=[recorder])`.
    what : {"boundary", "warp", "units", "weights", "network", "landscape"} or function, default "boundary"
        The picture: `decision_boundary`, `warp_grid`, `units`, `weights`, `network`, or the way over the
        `loss_landscape`. A function (trainer, ax) draws one of your own: the trainer's network has the values of the
        snapshot.
    X, y : arrays
        The data of the picture, for "boundary", "warp", "units" and "landscape".
    frames : int, default 60
        At most so many snapshots are shown, at equal distances; the first and the last always.
    interval : float, default 80
        Milliseconds of a frame, where it is shown by matplotlib; files have the `fps` of `save`.
    return_data : bool, default False
    **options
        Of the picture's function.

    Returns
    -------
    animation : matplotlib.animation.FuncAnimation
        For `viz.save(animation, "training.gif")`, which a notebook shows by `IPython.display.Image("training.gif")`.
    data : dict, with `return_data=True`
        "snapshots", "steps" and "losses" of each frame.

    Raises
    ------
    TypeError, ValueError
        If the recorder has no snapshots, or X is missing.

    Notes
    -----
    A frame is drawn when it is needed, by a copy of the network: 0.1 s for a boundary, half a second for the panels of
    a warped grid.

    Examples
    --------
    >>> import fastnn, pathlib, tempfile
    >>> from fastnn import nn, optim, viz
    >>> import matplotlib.pyplot as plt
    >>> X, y = fastnn.data.make_moons(64, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2), seed=0)
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    >>> recorder = viz.Recorder(every=2)
    >>> history = trainer.fit(X, y, epochs=2, callbacks=[recorder])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "moons.gif")
    ...     viz.save(viz.animate(recorder, "boundary", X, y, frames=2, points=20), path, dpi=50)
    ...     print(path.read_bytes()[:6])
    b'GIF89a'
    >>> plt.close("all")
    """
    from matplotlib.animation import FuncAnimation

    if not isinstance(recorder, Recorder):
        raise TypeError(f"recorder must be a viz.Recorder, got {type(recorder).__name__}")
    if not len(recorder):
        raise ValueError("the recorder has no snapshots: give it to fit(..., callbacks=[recorder]) first")
    frames = check.check_integer("frames", frames, at_least=1, at_most=10_000)
    chosen = np.unique(np.linspace(0, len(recorder) - 1, frames).round().astype(int)) if frames > 1 else np.array([-1])
    chosen = chosen % len(recorder)
    picture = _picture(what, X, y, options)
    trainer = copy.deepcopy(recorder.trainer)
    figure, theme = _first(what, picture, recorder, trainer, X, y, chosen, options), theme_for().name
    title = figure.suptitle("step 0", color=THEMES[theme].ink, fontsize=11)
    draw = _over_landscape if what == "landscape" else _anew
    with style(theme):
        update = draw(figure, picture, recorder, trainer, chosen)
    data = {
        "snapshots": chosen,
        "steps": np.array(recorder.steps)[chosen],
        "losses": np.array(recorder.losses)[chosen],
    }

    def show(i: int) -> Any:
        with style(theme):
            update(i)
        loss = "" if np.isnan(data["losses"][i]) else f", loss {data['losses'][i]:.4f}"
        title.set_text(f"step {data['steps'][i]}{loss}")
        return figure.axes

    animation = FuncAnimation(figure, show, frames=len(chosen), interval=interval, repeat=True, init_func=list)
    return finished(animation, data, return_data)


def _picture(what: Any, X: Any, y: Any, options: dict[str, Any]) -> Callable[..., Any]:
    """A function (trainer, ax) that draws, ax None for a figure of its own."""
    if callable(what):
        return lambda trainer, ax: what(trainer, ax)
    check.check_choice("what", what, WHAT)
    if what in OF_NETWORK:
        return lambda trainer, ax: OF_NETWORK[what](trainer, ax=ax, **options)
    if X is None:
        raise ValueError(f'what="{what}" needs X, the samples that are drawn')
    if what == "landscape":
        return lambda trainer, ax: loss_landscape(trainer, X, y, ax=ax, **options)
    if what == "warp":
        return _warp(X, y, options)
    return lambda trainer, ax: OF_DATA[what](trainer, X, y, ax=ax, **options)


def _warp(X: Any, y: Any, options: dict[str, Any]) -> Callable[..., Any]:
    """Warped grids that are all seen from where the first one drawn is, which is the last in time."""
    seen: dict[str, Array] = {}

    def draw(trainer: Any, ax: Any) -> Any:
        picture, data = warp_grid(trainer, X, y, ax=ax, return_data=True, **({"directions": seen} | options))
        seen.update(data["directions"])
        return picture

    return draw


def _first(
    what: Any, picture: Any, recorder: Recorder, trainer: Any, X: Any, y: Any, chosen: Array, options: dict[str, Any]
) -> Any:
    """A figure of the size that the picture asks for, drawn for the last snapshot."""
    recorder.show(trainer.net, int(chosen[-1]))
    if what == "landscape":
        path = {"path": recorder.parameters}
        return figure_of(loss_landscape(trainer, X, y, paths=path, **options))
    if not callable(what):
        return figure_of(picture(trainer, None))
    return new_figure(theme_for(), (5.6, 4.6))


def _anew(figure: Any, picture: Any, recorder: Recorder, trainer: Any, chosen: Array) -> Callable[[int], None]:
    """An update that draws the whole picture again, with limits that hold for all frames."""
    import matplotlib

    theme = theme_for()

    panels = [ax for ax in figure.axes if ax.axison or len(figure.axes) == 1]
    kept = bool(panels) and not any(hasattr(ax, "_colorbar") for ax in panels)
    if kept:  # the layout stays, which saves half of the time; a scale of colours is made anew, and needs room
        figure.draw_without_rendering()
        figure.set_layout_engine("none")

    def draw(i: int) -> None:
        recorder.show(trainer.net, int(chosen[i]))
        if not kept:
            for ax in figure.axes:
                ax.remove()
        for ax in panels if kept else ():
            ax.clear()
        with matplotlib.rc_context(theme.rc):
            picture(trainer, (panels if len(panels) > 1 else panels[0]) if kept else figure.add_subplot())

    probed = []
    for i in np.unique(np.linspace(0, len(chosen) - 1, PROBED).round().astype(int)):
        draw(int(i))
        probed.append([(*ax.get_xlim(), *ax.get_ylim()) for ax in figure.axes])
    fixed = [_union(of_panel) for of_panel in zip(*probed, strict=False)] if len(set(map(len, probed))) == 1 else []

    def update(i: int) -> None:
        draw(i)
        for ax, limits in zip(figure.axes, fixed, strict=False):
            if limits is not None:
                ax.set(xlim=limits[:2], ylim=limits[2:])

    return update


def _union(limits: Any) -> Any:
    """Limits around those of several frames; None for an axis that runs backwards, as that of an image does."""
    x0, x1, y0, y1 = np.array(limits).T
    if (x0 > x1).any() or (y0 > y1).any():
        return None
    return x0.min(), x1.max(), y0.min(), y1.max()


def _over_landscape(
    figure: Any, picture: Any, recorder: Recorder, trainer: Any, chosen: Array
) -> Callable[[int], None]:
    """An update that shows the way so far over a landscape that stays."""
    ax, theme = figure.axes[0], theme_for()
    ax.get_legend().remove()
    ax.set_title("")
    whole = np.stack(ax.get_lines()[0].get_data(), 1)
    for line in list(ax.get_lines()):
        line.remove()
    drawn: list[Any] = []

    def update(i: int) -> None:
        for line in drawn:
            line.remove()
        before = set(ax.get_lines())
        trace(ax, whole[: int(chosen[i]) + 1], theme, 0, "path")
        drawn[:] = [line for line in ax.get_lines() if line not in before]

    return update
