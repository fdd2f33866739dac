"""The line search of L-BFGS: a step that satisfies the strong Wolfe conditions, by cubic interpolation.

The algorithm is that of torch/optim/lbfgs.py, which comes from Mark Schmidt's minFunc; Nocedal and Wright, 2006
(Numerical Optimization, section 3.5).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._validation import Array

DECREASE = 1e-4  # c1: the loss must fall by at least this fraction of t times the slope at the start
CURVATURE = 0.9  # c2: the slope must be at most this fraction of that at the start


class Point(NamedTuple):
    """A point on the line: its distance from the start, and the loss, gradient and slope along the line there."""

    t: float
    loss: float
    grad: Array
    slope: float


Evaluate = Callable[[float], Point]


def strong_wolfe(
    evaluate: Evaluate, t: float, start: Point, reach: float, limit: int, tolerance: float
) -> tuple[Point, int]:
    """Return the point found, and the number of points that were evaluated, at most `limit` + 1.

    `t` is tried first. A loss or gradient that is not finite fails the condition of decrease: the search goes back
    towards the start, whose loss and gradient are finite, and ends there if it finds nothing better. It also ends where
    the parameters differ by less than `tolerance`; `reach` is the largest change of a parameter for t = 1.
    """
    bracket, evals = _bracket(evaluate, t, start, limit)
    if len(bracket) == 1:
        return bracket[0], evals
    low, stuck = _lower(bracket), False
    while evals <= limit and abs(bracket[1].t - bracket[0].t) * reach >= tolerance:
        t, stuck = _kept_inside(cubic_minimum(bracket[0], bracket[1]), bracket, stuck)
        point = evaluate(t)
        evals += 1
        if _too_high(point, start) or point.loss >= bracket[low].loss:
            bracket[1 - low] = point
            low = _lower(bracket)
            continue
        done = _flat(point, start)
        if not done and point.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
            bracket[1 - low] = bracket[low]
        bracket[low] = point
        if done:
            break
    return bracket[low], evals


def _bracket(evaluate: Evaluate, t: float, start: Point, limit: int) -> tuple[list[Point], int]:
    """A point that satisfies the conditions, or two with one between them; and the number of points evaluated."""
    previous, point = start, evaluate(t)
    for evals in range(1, limit + 1):
        if _too_high(point, start) or (evals > 2 and point.loss >= previous.loss):
            return [previous, point], evals
        if _flat(point, start):
            return [point], evals
        if point.slope >= 0:
            return [previous, point], evals
        bounds = point.t + 0.01 * (point.t - previous.t), point.t * 10
        t = cubic_minimum(previous, point, bounds)
        previous, point = point, evaluate(t)
    return [start, point], limit + 1


def is_finite(point: Point) -> bool:
    """Whether loss, slope and gradient are finite; a search never ends where they are not."""
    return math.isfinite(point.loss) and math.isfinite(point.slope) and bool(np.isfinite(point.grad).all())


def _too_high(point: Point, start: Point) -> bool:
    """Whether the loss has not decreased enough, or is not finite."""
    return not is_finite(point) or point.loss > start.loss + DECREASE * point.t * start.slope


def _flat(point: Point, start: Point) -> bool:
    """Whether the slope is small enough: the curvature condition."""
    return abs(point.slope) <= -CURVATURE * start.slope


def _lower(bracket: list[Point]) -> int:
    """The index of the end of the bracket with the lower loss."""
    return 0 if bracket[0].loss <= bracket[1].loss or not is_finite(bracket[1]) else 1


def _kept_inside(t: float, bracket: list[Point], stuck: bool) -> tuple[float, bool]:
    """`t`, moved inside if it is outside the bracket or twice in a row near an end; and whether it is near an end."""
    first, last = sorted(point.t for point in bracket)
    margin = 0.1 * (last - first)
    if min(last - t, t - first) >= margin:
        return t, False
    if not (stuck or t >= last or t <= first):
        return t, True
    return (last - margin if abs(t - last) < abs(t - first) else first + margin), False


@np.errstate(all="ignore")
def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """The minimum of the cubic through two points with their slopes, within bounds, by default those points.

    The middle of the bounds if the cubic has no minimum or a loss is not finite.
    """
    a, b = (a, b) if a.t <= b.t else (b, a)
    low, high = bounds or (a.t, b.t)
    length = np.float64(b.t - a.t)  # which divides by 0 without an error
    mean = a.slope + b.slope - 3 * (b.loss - a.loss) / length
    square = mean * mean - a.slope * b.slope
    if square >= 0 and is_finite(a) and is_finite(b):
        root = np.sqrt(square)
        t = float(b.t - length * ((b.slope + root - mean) / (b.slope - a.slope + 2 * root)))
        if math.isfinite(t):
            return min(max(t, low), high)
    return (low + high) / 2
