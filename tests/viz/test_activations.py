"""The arrays of activation curves and softmax beside formulas of NumPy."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np

from fastnn import viz

FORMULAS = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "prelu": lambda x: np.where(x > 0, x, 0.25 * x),
    "silu": lambda x: x / (1 + np.exp(-x)),
}


def test_values_and_slopes_are_those_of_the_formulas():
    _, data = viz.activation_curves(FORMULAS, xlim=(-3, 3), points=61, return_data=True)
    x, step = data["x"], 1e-6
    np.testing.assert_allclose(x, np.linspace(-3, 3, 61))
    smooth = np.abs(x) > 1e-3  # away from kinks
    for name, f in FORMULAS.items():
        np.testing.assert_allclose(data[name], f(x), rtol=1e-12, atol=1e-15)
        slope = (f(x + step) - f(x - step)) / (2 * step)
        np.testing.assert_allclose(data[f"{name}'"][smooth], slope[smooth], atol=1e-8)


def test_curves_are_the_data():
    ax, data = viz.activation_curves(["gelu"], return_data=True)
    curves = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
    np.testing.assert_array_equal(curves["f(x)"], data["gelu"])
    np.testing.assert_array_equal(curves["f'(x)"], data["gelu'"])
    assert ax.get_title() == "gelu\napproximate=none"


def test_parameters_are_used_and_named():
    figure, data = viz.activation_curves(
        ["leaky_relu", "prelu"],
        params={"leaky_relu": {"negative_slope": 0.1}, "prelu": {"weight": 0.5}},
        return_data=True,
    )
    assert data["leaky_relu"][0] == pytest.approx(-0.4) and data["leaky_relu'"][0] == 0.1
    assert data["prelu"][0] == -2 and data["prelu'"][0] == 0.5
    assert [ax.get_title() for ax in figure.axes] == ["leaky_relu\nnegative_slope=0.1", "prelu\nweight=0.5"]


def test_all_activations_are_drawn():
    figure, data = viz.activation_curves(points=5, return_data=True)
    assert len(figure.axes) == (len(data) - 1) / 2 > 20
    assert all(np.isfinite(values).all() for values in data.values())


def test_softmax_by_its_formula():
    logits, scales = np.array([1.0, -0.5, 2.0, 0.3]), (0.01, 1.0, 5.0)
    figure, data = viz.softmax_temperature(logits, scales, labels="abcd", return_data=True)
    for i, t in enumerate(scales):
        e = np.exp((logits - logits.max()) / t)
        p = e / e.sum()
        np.testing.assert_allclose(data["probabilities"][i], p, rtol=1e-12)
        np.testing.assert_allclose(data["entropies"][i], -sum(v * np.log(v) for v in p if v > 0), rtol=1e-6, atol=1e-12)
        heights = [bar.get_height() for bar in figure.axes[i].patches]
        np.testing.assert_array_equal(heights, data["probabilities"][i])
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == list("abcd")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: viz.activation_curves(["rleu"]), "there is no activation 'rleu'"),
        (lambda: viz.activation_curves([]), "names must have at least one"),
        (lambda: viz.activation_curves([np.tanh]), "names must have at least one activation, by name, such as"),
        (
            lambda: viz.activation_curves(["relu"], params={"elu": {}}),
            "params has 'elu', which is not among names: relu",
        ),
        (lambda: viz.activation_curves(["elu"], params={"elu": {"beta": 1}}), "elu takes no argument 'beta'"),
        (lambda: viz.activation_curves(["relu"], xlim=(1, 0)), r"xlim\[1\] must be greater than 1"),
        (lambda: viz.softmax_temperature([[1, 2]]), r"logits must be finite numbers of shape \(classes,\), got shape"),
        (lambda: viz.softmax_temperature([1, np.nan]), "finite"),
        (lambda: viz.softmax_temperature([1, 2], [0]), "temperatures must be greater than 0"),
        (lambda: viz.softmax_temperature([1, 2], labels=["a"]), "labels must have 2 names, one for each logit, got 1"),
    ],
)
def test_wrong_arguments(call, message):
    from matplotlib import pyplot

    with pytest.raises((ValueError, TypeError), match=message):
        call()
    assert not pyplot.get_fignums()  # no empty figure is left
