"""The random streams of initial values depend on the seed and the place only."""

import numpy as np
import pytest

import fastnn
from fastnn import nn
from fastnn.nn import init
from init.test_inplace import make

RULES = ["normal", "trunc_normal", "xavier_uniform", "kaiming_normal", "lecun_normal", "orthogonal"]


@pytest.mark.parametrize("rule", [*RULES, nn.init.Sparse(0.5)])
def test_draws_depend_on_the_seed_and_the_place_only(rule, isas):
    net = make(rule)
    bits = net.parameters().data.tobytes()
    longer = make(rule, nn.ReLU(), nn.Linear(30, 2))
    for name, view in net.named_parameters():
        assert np.array_equal(view, longer[name])
    assert not np.array_equal(make(rule, seed=1)["0.weight"], net["0.weight"])
    assert not np.array_equal(net["0.weight"], net["2.weight"][:20])
    for isa in [name for name in isas if name != "sse2"]:
        fastnn.set_isa(isa)
        assert make(rule).parameters().data.tobytes() == bits
    with fastnn.use_backend("reference"):
        assert make(rule).parameters().data.tobytes() == bits


@pytest.mark.parametrize("rule", ["normal", "orthogonal"])
def test_draws_do_not_depend_on_threads(rule, threads):
    assert make(rule).parameters().data.tobytes() == THREADS.setdefault(rule, make(rule).parameters().data.tobytes())


THREADS: dict = {}


@pytest.mark.parametrize("rule", ["uniform", "normal", "trunc_normal"])
def test_numbers_are_those_of_float64_rounded_and_do_not_depend_on_how_many(rule):
    """Also across the stretches in which they are drawn."""
    fill = getattr(init, f"{rule}_")
    many = fill(np.empty(150000), seed=4)
    assert np.array_equal(fill(np.empty(70001), seed=4), many[:70001])
    assert np.array_equal(fill(np.empty(150000, "float32"), seed=4), many.astype("float32"))
    assert len(np.unique(many)) == many.size


def test_calls_of_one_rule_go_on_in_the_stream():
    def rule(shape, draws):
        return np.concatenate([draws(shape[0] - 2, 0.0, 1.0), draws(1, 0.0, 1.0), draws.normal(1)])

    net = nn.Sequential(nn.Linear(2, 6, bias_init=rule), seed=0, dtype="float64")
    assert len(set(net["0.bias"])) == 6
