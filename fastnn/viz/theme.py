"""How figures look: a light and a dark theme, in colours that colour-blind readers tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _validation as check

MARKERS = "o", "s", "^", "D", "v", "P", "X", "*"  # classes differ in shape too, not in colour alone
DASHES = "-", "--", "-.", ":"  # lines beyond the number of colours


@dataclass(frozen=True)
class Theme:
    """The colours of one theme.

    Attributes
    ----------
    name : str
    paper, ink, faint, lines : str
        Background, text, text of less weight, grids.
    colors : tuple of str
        Of classes and curves: the palette of Okabe and Ito (2008) in an order that suits the background, and two or
        three more for sets of ten classes.
    """

    name: str
    paper: str
    ink: str
    faint: str
    lines: str
    colors: tuple[str, ...]

    @property
    def rc(self) -> dict[str, Any]:
        """Settings of matplotlib, in force only while something is drawn."""
        from cycler import cycler

        return {
            "figure.facecolor": self.paper,
            "axes.facecolor": self.paper,
            "axes.edgecolor": self.faint,
            "axes.labelcolor": self.ink,
            "axes.titlecolor": self.ink,
            "axes.prop_cycle": cycler(color=self.colors),
            "axes.axisbelow": True,
            "axes.grid": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 11,
            "axes.titleweight": "normal",
            "axes.labelsize": 10,
            "font.size": 10,
            "legend.fontsize": 9,
            "legend.frameon": False,
            "legend.labelcolor": self.ink,
            "text.color": self.ink,
            "xtick.color": self.faint,
            "ytick.color": self.faint,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
            "grid.color": self.lines,
            "grid.linewidth": 0.8,
            "lines.linewidth": 1.8,
            "lines.markersize": 5,
            "image.interpolation": "nearest",
            "savefig.facecolor": "auto",
        }

    def color(self, i: int) -> str:
        """The colour of class or curve number i."""
        return self.colors[i % len(self.colors)]

    def dash(self, i: int) -> str:
        """The line style of curve number i: another one where colours begin again."""
        return DASHES[i // len(self.colors) % len(DASHES)]

    def between(self, *colors: str) -> Any:
        """A colour map through these colours."""
        from matplotlib.colors import LinearSegmentedColormap

        return LinearSegmentedColormap.from_list("fastnn", colors)

    @property
    def signed(self) -> Any:
        """The colour map of numbers below and above 0, which has the colour of the background."""
        return self.between(self.colors[0], self.paper, self.colors[1])

    @property
    def amount(self) -> Any:
        """The colour map of numbers from 0, which has the colour of the background."""
        return self.between(self.paper, self.colors[0])


LIGHT = Theme(
    "light", "#ffffff", "#1f2430", "#5b6472", "#e3e6ea",
    ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#1f2430", "#882255", "#999933", "#9aa0a8"),
)  # fmt: skip
DARK = Theme(
    "dark", "#14171c", "#e8eaed", "#a3abb8", "#2c323b",
    ("#56B4E9", "#E69F00", "#00B98A", "#CC79A7", "#F0E442", "#E8702A", "#4C8FD0", "#e8eaed", "#BB5FB0", "#8a9099"),
)  # fmt: skip
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}

_chosen: ContextVar[Theme | None] = ContextVar("theme", default=None)


@contextmanager
def style(name: str) -> Iterator[Theme]:
    """Draw what is drawn within this context in one theme.

    Parameters
    ----------
    name : {"light", "dark"}

    Yields
    ------
    theme : Theme
        Its colours, for what you draw yourself.

    Raises
    ------
    ValueError
        If there is no such theme.

    Notes
    -----
    `matplotlib.rcParams` are never changed: a function of this package applies its settings while it draws. Outside of
    this context, figures are light, and axes that are given to a function are drawn in the theme that suits the
    background of their figure. The choice is that of the thread or task.

    Examples
    --------
    >>> from fastnn import viz
    >>> with viz.style("dark") as theme:
    ...     ax = viz.activation_curves(["relu"])
    >>> theme.name, ax.get_facecolor() == ax.figure.get_facecolor()
    ('dark', True)
    >>> import matplotlib.pyplot as plt
    >>> plt.close(ax.figure)
    """
    check.check_choice("name", name, tuple(THEMES))
    token = _chosen.set(THEMES[name])
    try:
        yield THEMES[name]
    finally:
        _chosen.reset(token)


def theme_for(figure: Any = None) -> Theme:
    """The theme of the context; without one that of a figure's background, or the light one."""
    chosen = _chosen.get()
    if chosen is not None or figure is None:
        return chosen or LIGHT
    from matplotlib.colors import to_rgba

    red, green, blue, opacity = to_rgba(figure.get_facecolor())
    return DARK if opacity and 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5 else LIGHT


def mixed(color: str, paper: str, share: Any) -> Any:
    """A colour laid over the background with this opacity, an array of shape (...): RGB of shape (..., 3)."""
    from matplotlib.colors import to_rgb

    over, under = np.array(to_rgb(color)), np.array(to_rgb(paper))
    return under + np.asarray(share)[..., None] * (over - under)
