"""The line search of L-BFGS: the strong Wolfe conditions, and losses or gradients that are not finite."""

import math

import numpy as np
import pytest

from fastnn import optim
from fastnn.optim.line_search import CURVATURE, DECREASE, Point, cubic_minimum, strong_wolfe
from test_lbfgs import closure_of, parameters

BOTH = pytest.mark.parametrize("search", [None, "strong_wolfe"])


def walled(bad, bad_grad=math.nan, wall=1.0):
    """A slope, down to a wall behind which the loss is `bad`: log's or sqrt's end."""

    def function(p):
        x = float(p[0])
        return (-x, (-1.0,)) if x <= wall else (bad, (bad_grad,))

    return function


def barrier(p):
    """-log(1 - x) - 3 x, whose minimum is at 2/3 and which is NaN beyond 1."""
    x = float(p[0])
    with np.errstate(all="ignore"):
        return float(-np.log(np.float64(1 - x)) - 3 * x), (1 / (1 - x) - 3 if x != 1 else math.inf,)


@pytest.mark.usefixtures("backend")
@BOTH
@pytest.mark.parametrize("lr", [0.1, 1.0, 100.0, 1e30])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("bad_grad", [math.nan, 1.0, -1.0, math.inf])
def test_what_is_not_finite_is_gone_back_from(bad, bad_grad, lr, search, dtype):
    params = parameters((0.0,), dtype)
    optimizer = optim.LBFGS(params, lr=lr, line_search_fn=search)
    for _ in range(3):
        before = float(params["p"].data[0])
        optimizer.step(closure_of(params, walled(bad, bad_grad)))
        assert before <= params["p"].data[0] <= 1.0


@pytest.mark.usefixtures("backend")
@BOTH
def test_a_gradient_that_is_not_finite_is_gone_back_from(search, dtype):
    params = parameters((0.0,), dtype)
    optim.LBFGS(params, lr=50.0, line_search_fn=search).step(closure_of(params, walled(-1e9, math.nan)))
    assert 0 <= params["p"].data[0] <= 1.0


@pytest.mark.usefixtures("backend")
@BOTH
@pytest.mark.parametrize("lr", [1.0, 3.0, 50.0])
def test_the_minimum_beside_nan_is_found(lr, search, dtype):
    params = parameters((0.0,), dtype)
    optimizer = optim.LBFGS(params, lr=lr if search else 1.0, max_iter=50, line_search_fn=search)
    for _ in range(5):
        optimizer.step(closure_of(params, barrier))
    assert params["p"].data[0] == pytest.approx(2 / 3, abs=1e-3)


@pytest.mark.usefixtures("backend")
@BOTH
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_step_that_begins_there_changes_nothing(bad, search, dtype):
    params = parameters((2.0,), dtype)
    optimizer = optim.LBFGS(params, line_search_fn=search)
    assert not math.isfinite(optimizer.step(closure_of(params, walled(bad, 1.0))))
    assert params["p"].data[0] == 2 and optimizer.memory.iterations == 0
    params["p"].data[...] = 0
    optimizer.step(closure_of(params, walled(bad)))
    assert 0 < params["p"].data[0] <= 1


@pytest.mark.usefixtures("backend")
def test_everything_but_the_start_is_not_finite(dtype):
    for search in (None, "strong_wolfe"):
        params = parameters((0.5, -1.0), dtype)

        def function(p):
            return (1.0, (1.0, -2.0)) if p.tolist() == [0.5, -1.0] else (math.nan, (math.nan, math.nan))

        optim.LBFGS(params, line_search_fn=search).step(closure_of(params, function))
        assert params["p"].data.tolist() == [0.5, -1.0]


def test_the_minimum_of_a_cubic():
    def point(t):
        return Point(t, t**3 - 3 * t, np.zeros(0), 3 * t * t - 3)

    assert cubic_minimum(point(0.0), point(3.0)) == pytest.approx(1.0)
    assert cubic_minimum(point(3.0), point(0.0)) == pytest.approx(1.0)
    assert cubic_minimum(point(0.0), point(3.0), (1.5, 2.0)) == 1.5
    assert cubic_minimum(point(2.0), point(2.0)) == 2.0
    line = Point(0.0, 0.0, np.zeros(0), 1.0), Point(1.0, 10.0, np.zeros(0), 1.0)
    assert 0 <= cubic_minimum(*line) <= 1
    assert cubic_minimum(point(0.0), Point(4.0, math.nan, np.zeros(0), math.nan)) == 2.0


FUNCTIONS = {
    "quartic": (lambda t: (t - 2) ** 4, lambda t: 4 * (t - 2) ** 3),
    "log": (lambda t: 0.1 * t - math.log1p(t), lambda t: 0.1 - 1 / (1 + t)),
    "bump": (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),
}


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_strong_wolfe_conditions_hold(name, first):
    """Moré and Thuente's bump is among them."""
    f, slope = FUNCTIONS[name]

    def evaluate(t):
        return Point(t, f(t), np.zeros(0), slope(t))

    start = evaluate(0.0)
    point, evals = strong_wolfe(evaluate, first, start, 1.0, 25, 1e-9)
    assert evals <= 26
    assert point.loss <= start.loss + DECREASE * point.t * start.slope
    assert abs(point.slope) <= CURVATURE * abs(start.slope)


@pytest.mark.parametrize("limit", [0, 1, 2, 5])
def test_the_search_keeps_to_its_limit(limit):
    calls = []

    def evaluate(t):
        calls.append(t)
        return Point(t, -t, np.zeros(0), -1.0)  # there is no end to it

    point, evals = strong_wolfe(evaluate, 1.0, Point(0.0, 0.0, np.zeros(0), -1.0), 1.0, limit, 1e-9)
    assert len(calls) == evals == limit + 1
    assert point.t == max(calls)
