"""The examples show what their texts say."""

import numpy as np
import pytest

from fastnn.playground import views
from fastnn.playground.presets import PRESETS
from fastnn.playground.session import Session
from fastnn.playground.settings import from_json


def after(name, epochs=500):
    session = Session(from_json(PRESETS[name]))
    session.train(epochs)
    return session


def accuracy(session):
    return session.score()[1]["accuracy"]


@pytest.mark.parametrize("name", ["spirals", "three_spirals", "four_units", "blobs"])
def test_what_can_be_learned_is(name):
    assert accuracy(after(name)) > 0.95


def test_linear_layers_stay_linear():
    session = after("linear")
    assert accuracy(session) < 0.6
    z = session.net.predict(np.array([[-1, 2], [0, 1], [1, 0]], "float32"))  # on a line, equally far
    assert np.allclose(z[0] + z[2], 2 * z[1], atol=1e-5)


def test_two_units_do_not_suffice():
    assert accuracy(after("two_units", 2000)) < 0.9


def test_units_die():
    health = views.health(after("dead"))
    assert health[0]["dead"] + health[1]["dead"] > 0.8


def test_gradients_vanish():
    health = views.health(after("vanishing", 200))
    assert health[0]["gradient"] < 1e-3 * health[-1]["gradient"]


def test_sigmoids_are_saturated():
    assert max(layer["saturated"] for layer in views.health(after("saturated", 50))[:-1]) > 0.5


def test_the_rate_explodes():
    assert after("explodes").exploded


def test_dropout_and_l2_help():
    over, less = after("overfits"), after("dropout")
    assert over.score()[0]["accuracy"] == 1.0 and over.score()[1]["loss"] > 3
    assert less.score()[1]["loss"] < 0.7


def test_the_regression_fits():
    assert after("regression").score()[1]["loss"] < 0.15
