"""Where figures are drawn: axes of a new figure or the reader's own, in a theme, and what a function returns."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from .theme import Theme, theme_for

PANEL = 2.6, 2.5  # inches of a small panel
WIDEST = 11.0  # inches: what a notebook shows without shrinking it


@cache
def figure_class() -> Any:
    """A Figure that a notebook shows once, sharp on fine screens.

    The inline backend shows every open figure after a cell, so one that is the last value of the cell would be there
    twice.
    """
    from matplotlib import pyplot
    from matplotlib.figure import Figure

    class NotebookFigure(Figure):
        _shown = False  # as the value of a cell that is not over yet

        def _ipython_display_(self) -> None:
            is_open = "inline" in pyplot.get_backend() and getattr(self, "number", None) in pyplot.get_fignums()
            again, self._shown = is_open and self._shown, is_open
            if not again:
                ipython, image = import_module("IPython.display"), io.BytesIO()
                self.savefig(image, format="png", dpi=2 * self.dpi)
                ipython.display(ipython.Image(image.getvalue(), retina=True))

    return NotebookFigure


class Canvas:
    """The axes that a function draws into, and its theme.

    Attributes
    ----------
    axes : list of Axes
    theme : Theme
    """

    def __init__(self, axes: list[Any], theme: Theme) -> None:
        self.axes, self.theme = axes, theme

    @property
    def figure(self) -> Any:
        """The figure, or the part of one, that the axes are in."""
        return self.axes[0].figure

    def title(self, text: str) -> None:
        """A title above all panels, where the figure has none yet."""
        if self.figure.get_suptitle() == "":
            self.figure.suptitle(text, fontsize=12, color=self.theme.ink)


@contextmanager
def canvas(ax: Any, count: int = 1, columns: int = 0, size: tuple[float, float] | None = None) -> Iterator[Canvas]:
    """Axes to draw into, with the theme in force.

    Parameters
    ----------
    ax : None, Axes, or sequence of Axes
        None makes a figure. Several panels take the place of one Axes, or are the ones given.
    count, columns : int
        Number of panels, and of those in a row; 0 puts all in one row.
    size : (width, height), optional
        Of the new figure in inches; by default by the number of panels.

    Raises
    ------
    TypeError, ValueError
        If `ax` is something else, or a sequence of another length.
    """
    import matplotlib
    from matplotlib import pyplot

    columns = min(columns or count, count)
    rows = -(-count // columns)
    given = _given(ax, count)
    theme = theme_for(None if given is None else given[0].figure)
    figure = (
        new_figure(theme, size or (min(WIDEST, PANEL[0] * columns), PANEL[1] * rows + 0.3)) if given is None else None
    )
    with matplotlib.rc_context(theme.rc):
        if figure is not None:
            axes = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
        elif given is not None and len(given) == 1 < count:
            axes = _within(given[0], rows, columns, count)
        else:
            axes = given or []
        try:
            yield Canvas(axes, theme)
        except BaseException:  # an error leaves no empty figure
            if figure is not None:
                pyplot.close(figure)
            raise
        for one in axes:
            _settle(one, theme)


def new_figure(theme: Theme, size: tuple[float, float]) -> Any:
    """A figure of pyplot with the background of a theme.

    It is made outside of `rc_context`: what a backend sets when it is loaded, by the first figure, has to stay.
    """
    from matplotlib import pyplot

    return pyplot.figure(figsize=size, layout="constrained", facecolor=theme.paper, FigureClass=figure_class())


def subplots(rows: int = 1, columns: int = 1, *, size: tuple[float, float] | None = None) -> tuple[Any, Any]:
    """Make a figure of your own in the theme of `style`: `matplotlib.pyplot.subplots` with its colours.

    Parameters
    ----------
    rows, columns : int, default 1
    size : (width, height), optional
        In inches; by default 6 x 4 for one Axes.

    Returns
    -------
    figure : Figure
    axes : Axes, or array of them

    Notes
    -----
    A legend is legible on both backgrounds with `labelcolor="linecolor", frameon=False`.

    Examples
    --------
    >>> from fastnn import viz
    >>> import matplotlib.pyplot as plt
    >>> with viz.style("dark"):
    ...     figure, ax = viz.subplots()
    >>> line = ax.plot([1, 2])[0]
    >>> line.get_color()
    '#56B4E9'
    >>> plt.close(figure)
    """
    import matplotlib

    theme = theme_for()
    figure = new_figure(theme, size or (6.0 if columns == 1 else min(WIDEST, 4.6 * columns), 4.0 * rows))
    with matplotlib.rc_context(theme.rc):
        axes = figure.subplots(rows, columns)
    for ax in np.ravel(axes):
        _settle(ax, theme)
    return figure, axes


def _given(ax: Any, count: int) -> list[Any] | None:
    from matplotlib.axes import Axes

    if ax is None:
        return None
    axes = [ax] if isinstance(ax, Axes) else list(np.ravel(ax)) if isinstance(ax, (list, tuple, np.ndarray)) else []
    if not axes or not all(isinstance(one, Axes) for one in axes):
        several = f", or a list of {count} of them" if count > 1 else ""
        raise TypeError(f"ax must be an Axes of matplotlib{several}, got {type(ax).__name__}")
    if len(axes) not in (1, count):
        raise ValueError(f"ax must be one Axes, or {count} of them, one for each panel, got {len(axes)}")
    return axes


def _within(ax: Any, rows: int, columns: int, count: int) -> list[Any]:
    """Panels in the place of one Axes, which is emptied."""
    ax.set_axis_off()
    grid = ax.get_subplotspec().subgridspec(rows, columns) if ax.get_subplotspec() else None
    if grid is None:
        raise ValueError("ax must come from plt.subplots or add_subplot to be divided into panels")
    return [ax.figure.add_subplot(grid[i // columns, i % columns]) for i in range(count)]


def _settle(ax: Any, theme: Theme) -> None:
    """Keep the theme's colours in what matplotlib makes only when the figure is shown: ticks."""
    ax.tick_params(which="both", colors=theme.faint)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_color(theme.ink)
        axis.get_offset_text().set_color(theme.faint)
    ax.title.set_color(theme.ink)


def finished(drawn: Any, data: dict[Any, Any], return_data: bool) -> Any:
    """What a function of this package returns: what was drawn, with the arrays where they are asked for."""
    return (drawn, data) if return_data else drawn


def as_list(value: Any) -> list[Any]:
    """The items of what can be iterated over; of a number, a text or another single thing a list with it."""
    return [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)


def grid_lines(ax: Any) -> None:
    """Faint lines behind the curves."""
    ax.grid(True)


def no_ticks(ax: Any) -> None:
    """Leave out ticks and their numbers."""
    ax.set_xticks([])
    ax.set_yticks([])


def text_on(color: Any) -> str:
    """Black or white, whichever is legible on a colour."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(color)
    return "#111111" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "#ffffff"


def whole_epochs(ax: Any) -> None:
    """Ticks at whole numbers."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
