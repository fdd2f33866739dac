"""Every picture in both themes: what is in it, that it is legible, and that matplotlib's settings stay."""

import pytest

pytest.importorskip("matplotlib")

import matplotlib
import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from fastnn import viz
from fastnn.viz.saving import figure_of
from fastnn.viz.theme import DARK, LIGHT, THEMES, mixed

from .cases import PICTURES, texts_of


def luminance(color):
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return np.dot([0.2126, 0.7152, 0.0722], channels)


def contrast(a, b):
    """The contrast ratio of WCAG, 1 to 21."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_in_both_themes(name, theme):
    """It has its words and its panels, nothing is cut off at the edge, and text stands out from its background."""
    draw, panels, words = PICTURES[name]
    before = dict(matplotlib.rcParams)
    with viz.style(theme):
        drawn, data = draw(viz, return_data=True)
    assert dict(matplotlib.rcParams) == before
    assert isinstance(drawn, Axes if panels == 1 else Figure) and data
    figure = figure_of(drawn)
    figure.draw_without_rendering()
    assert figure.get_figwidth() <= 11
    assert to_rgb(figure.get_facecolor()) == to_rgb(THEMES[theme].paper)
    assert len([ax for ax in figure.axes if not hasattr(ax, "_colorbar")]) >= panels
    texts = texts_of(figure)
    found = {text.get_text() for text in texts}
    assert words <= found, words - found
    width, height = figure.bbox.size
    for text in texts:
        ax = text.axes
        assert ax is None or text.get_fontsize() >= 7, text
        box = text.get_window_extent()
        assert box.x0 > -2 and box.y0 > -2 and box.x1 < width + 2 and box.y1 < height + 2, text
        if text not in (ax.texts if ax else ()):  # those within a cell stand on the colour of the cell
            assert contrast(text.get_color(), THEMES[theme].paper) > 4.5, text


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_takes_the_place_of_an_axes(name):
    draw, panels, _ = PICTURES[name]
    _, axes = pyplot.subplots(1, 2)
    drawn = draw(viz, ax=axes[0])
    assert figure_of(drawn) is axes[0].figure and not pyplot.get_fignums()[1:]
    assert drawn is axes[0] if panels == 1 else not axes[0].axison


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_colors_stand_out_and_are_told_apart(theme):
    """Curves and markers: 3 to 1 for the first four, and no two alike for readers who see no red or no green."""
    assert all(contrast(color, theme.paper) > (3 if i < 3 else 1.9) for i, color in enumerate(theme.colors))
    for seen in (PROTAN, DEUTAN):
        seen_as = [seen @ np.array([luminance_free(c) for c in to_rgb(color)]) for color in theme.colors[:6]]
        distances = [np.linalg.norm(a - b) for i, a in enumerate(seen_as) for b in seen_as[:i]]
        assert min(distances) > 0.08


def luminance_free(c):
    """A channel as linear light."""
    return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4


# Colours as seen without red or green cones, in linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.
PROTAN = np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]])
DEUTAN = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])


def test_axes_of_a_dark_figure_are_drawn_dark():
    with pyplot.style.context("dark_background"):
        _, ax = pyplot.subplots()
    viz.activation_curves(["relu"], ax=ax)
    assert ax.xaxis.label.get_color() == DARK.ink
    assert to_rgb(ax.get_lines()[2].get_color()) == to_rgb(DARK.color(0))


def test_style_ends_and_nests():
    with viz.style("dark"):
        with viz.style("light") as theme:
            assert theme is LIGHT
        assert viz.activation_curves(["relu"]).get_facecolor()[:3] == to_rgb(DARK.paper)
    assert viz.activation_curves(["relu"]).get_facecolor()[:3] == to_rgb(LIGHT.paper)


def test_style_refuses_other_names():
    with pytest.raises(ValueError, match="name must be one of 'light', 'dark', got 'pink'"), viz.style("pink"):
        pass


def test_mixed_is_between_the_two_colors():
    np.testing.assert_allclose(
        mixed("#ff0000", "#ffffff", np.array([0.0, 0.5, 1.0])), [[1, 1, 1], [1, 0.5, 0.5], [1, 0, 0]]
    )


def test_dir_shows_public_names():
    assert dir(viz) == sorted(viz.__all__)
