"""Where pictures are drawn."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip("matplotlib")

from matplotlib import pyplot
from matplotlib.colors import to_rgb

from fastnn import viz
from fastnn.viz.panels import text_on
from fastnn.viz.theme import DARK


def test_a_list_of_axes_is_used_in_order():
    _, axes = pyplot.subplots(2, 2)
    viz.losses(ax=axes)
    assert axes[0, 0].get_title() == "loss of one error"
    viz.learning_rates(ax=list(axes.ravel()[:3]))
    assert len(pyplot.get_fignums()) == 1


def test_one_axes_is_divided():
    figure, axes = pyplot.subplots(1, 2)
    viz.losses(ax=axes[1])
    assert len(figure.axes) == 6 and not axes[1].axison and axes[0].axison


def test_axes_of_subfigures():
    figure = pyplot.figure()
    left, _ = figure.subfigures(1, 2)
    ax = left.add_subplot()
    assert viz.activation_curves(["relu"], ax=ax) is ax


@pytest.mark.parametrize(
    ("ax", "error", "message"),
    [
        (3, TypeError, "ax must be an Axes of matplotlib, or a list of 4 of them, got int"),
        ([], TypeError, "got list"),
    ],
)
def test_what_is_no_axes(ax, error, message):
    with pytest.raises(error, match=message):
        viz.losses(ax=ax)


def test_single_things_are_lists_of_one():
    assert viz.learning_rates(0.1).get_title().startswith("lr = 0.1")
    assert viz.softmax_temperature([1.0, 2.0], 1).get_title().startswith("T = 1")
    with pytest.raises(TypeError, match="ax must be an Axes of matplotlib, got int"):
        viz.optimizer_paths(ax=3)


def test_wrong_number_of_axes():
    _, axes = pyplot.subplots(1, 3)
    with pytest.raises(ValueError, match="ax must be one Axes, or 4 of them, one for each panel, got 3"):
        viz.losses(ax=axes)


def test_figures_of_ones_own_have_the_theme():
    with viz.style("dark"):
        figure, axes = viz.subplots(2, 3, size=(5, 4))
    assert axes.shape == (2, 3) and figure.get_facecolor()[:3] == to_rgb(DARK.paper)
    axes[0, 0].set(title="a", xlabel="b")
    assert axes[0, 0].title.get_color() == axes[0, 0].xaxis.label.get_color() == DARK.ink
    assert tuple(figure.get_size_inches()) == (5, 4)


def test_a_notebook_shows_a_figure_once(monkeypatch):
    """As the last value of a cell, before open figures are shown; again when a later cell asks for it."""
    shown = []
    fake = SimpleNamespace(display=shown.append, Image=lambda data, retina: data[:4])
    monkeypatch.setitem(sys.modules, "IPython.display", fake)
    monkeypatch.setattr(pyplot, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    value, other = viz.affine_maps(), viz.learning_rates()
    value._ipython_display_()
    for figure in (value, other):  # what the backend does after the cell
        figure._ipython_display_()
        pyplot.close(figure)
    assert shown == [b"\x89PNG"] * 2
    value._ipython_display_()
    assert len(shown) == 3


def test_settings_of_a_backend_stay():
    """Those that it makes when the first figure loads it: a notebook's are interactive."""
    code = "import matplotlib\nfrom matplotlib import pyplot\nfrom fastnn import viz\nmake = pyplot.figure\n"
    code += "pyplot.figure = lambda **k: (pyplot.ion(), make(**k))[1]\nviz.losses()\nviz.subplots()\n"
    code += "assert pyplot.isinteractive()"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "MPLBACKEND": "agg"})


def test_text_is_legible_on_its_cell():
    assert text_on("#ffffff") == "#111111" and text_on("#0072B2") == "#ffffff"
