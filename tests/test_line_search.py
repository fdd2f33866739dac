"""L-BFGS where the loss or its gradient is not finite: it goes back, and never ends worse than at the start."""

import math

import numpy as np
import pytest

from fastnn import optim
from test_lbfgs import closure_of, parameters

pytestmark = pytest.mark.usefixtures("backend")

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


@BOTH
def test_a_gradient_that_is_not_finite_is_gone_back_from(search, dtype):
    params = parameters((0.0,), dtype)
    optim.LBFGS(params, lr=50.0, line_search_fn=search).step(closure_of(params, walled(-1e9, math.nan)))
    assert 0 <= params["p"].data[0] <= 1.0


@BOTH
@pytest.mark.parametrize("lr", [1.0, 3.0, 50.0])
def test_the_minimum_beside_nan_is_found(lr, search, dtype):
    params = parameters((0.0,), dtype)
    optimizer = optim.LBFGS(params, lr=lr if search else 1.0, max_iter=50, line_search_fn=search)
    for _ in range(5):
        optimizer.step(closure_of(params, barrier))
    assert params["p"].data[0] == pytest.approx(2 / 3, abs=1e-3)


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


def test_everything_but_the_start_is_not_finite(dtype):
    for search in (None, "strong_wolfe"):
        params = parameters((0.5, -1.0), dtype)

        def function(p):
            return (1.0, (1.0, -2.0)) if p.tolist() == [0.5, -1.0] else (math.nan, (math.nan, math.nan))

        optim.LBFGS(params, line_search_fn=search).step(closure_of(params, function))
        assert params["p"].data.tolist() == [0.5, -1.0]
