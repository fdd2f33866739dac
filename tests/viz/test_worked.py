"""The numbers of backpropagation: those of the course, and those of other networks by differences."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np

from fastnn import nn, viz

from .cases import texts_of

# As the course prints them, rounded to eight decimals.
COURSE = {
    ("0", "z"): [0.08, 0.11],
    ("0", "h"): [0.51998934, 0.52747230],
    ("2", "z"): [0.44498412, 0.68047592],
    ("2", "h"): [0.60944600, 0.66384491],
}


def test_numbers_of_the_course():
    _, data = viz.backpropagation(return_data=True)
    for key, expected in COURSE.items():
        np.testing.assert_array_equal(np.round(data[key], 8), expected)
    assert round(data["loss"], 8) == 0.02397190
    assert round(data["2", "grad_h"][0], 8) == 0.20944600
    assert round(data["2", "grad_weight"][0, 0], 8) == 0.02592286
    assert round(data["2", "new_weight"][0, 0], 8) == 0.43703857


def test_every_number_is_in_the_picture():
    figure, data = viz.backpropagation(return_data=True)
    words = "\n".join(text.get_text() for text in texts_of(figure))
    for (layer, key), values in ((k, v) for k, v in data.items() if isinstance(k, tuple)):
        for value in np.ravel(values):
            assert f"{value:.5f}" in words, (layer, key, value)


@pytest.mark.parametrize("bias", [True, False])
def test_gradients_of_another_network_by_differences(bias):
    net = nn.Sequential(nn.Linear(2, 3, bias=bias), nn.Tanh(), nn.Linear(3, 2, bias=bias), seed=0, dtype="float64")
    x, step, loss = np.array([0.3, -0.7]), 1e-6, nn.CrossEntropyLoss()
    before = net.parameters().data.copy()
    _, data = viz.backpropagation(net, x, 1, loss=loss, lr=0.1, return_data=True)
    assert (net.parameters().data == before).all() and not net.parameters().grad.any()
    for name, view in net.named_parameters():
        layer, key = name.split(".")
        for place in np.ndindex(view.shape):
            kept = view[place]
            values = []
            for moved in (kept + step, kept - step):
                view[place] = moved
                values.append(loss(net.predict(x[None]), np.array([1]))[0])
            view[place] = kept
            slope = (values[0] - values[1]) / (2 * step)
            assert data[layer, f"grad_{key}"][place] == pytest.approx(slope, abs=1e-8)
            assert data[layer, f"new_{key}"][place] == pytest.approx(kept - 0.1 * slope, abs=1e-8)
    z = data["0", "z"]
    np.testing.assert_allclose(data["0", "grad_z"], data["0", "grad_h"] * (1 - np.tanh(z) ** 2), rtol=1e-9)
    np.testing.assert_array_equal(data["2", "grad_z"], data["2", "grad_h"])


@pytest.mark.parametrize(
    ("net", "arguments", "message"),
    [
        (nn.Sequential(nn.Linear(2, 7)), ([1, 2], [0] * 7), "more than 6 units"),
        (
            nn.Sequential(nn.Tanh(), nn.Linear(2, 1)),
            ([1, 2], [0]),
            "model must be Linear layers, each with an activation",
        ),
        (nn.Sequential(nn.Linear(2, 2), nn.PReLU()), ([1, 2], [0.0, 0.0]), "model must be Linear layers"),
        (nn.Sequential(nn.Linear(2, 2)), (), "x and target are needed"),
        (nn.Sequential(nn.Linear(2, 2)), ([1, 2], 0), "target must have 2 numbers, one for each output, got 1"),
    ],
)
def test_wrong_arguments(net, arguments, message):
    with pytest.raises(ValueError, match=message):
        viz.backpropagation(net, *arguments)
