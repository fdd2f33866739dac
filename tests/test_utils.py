"""nn.utils: norms and clipping of gradients in loops of one's own, and parameters as one vector."""

import math

import numpy as np
import pytest

from fastnn import nn, optim
from support.torch_runs import torch_network
from test_clipping import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_functions_do_what_the_update_does(kind, dtype, backend):
    nets = [nn.Sequential(nn.Linear(40, 50), nn.Linear(50, 3), seed=0, dtype=dtype.name) for _ in range(2)]
    limits = KINDS[kind]
    fused, plain = optim.Adam(nets[0].parameters(), **limits), optim.Adam(nets[1].parameters())
    for _ in range(3):
        for net in nets:
            net.parameters().grad[...] = net.parameters().data
        fused.step()
        if "max_grad_norm" in limits:
            norm = nn.utils.clip_grad_norm_(nets[1].parameters(), limits["max_grad_norm"])
            assert norm == pytest.approx(fused.grad_norm, rel=1e-14)
        if "max_grad_value" in limits:
            nn.utils.clip_grad_value_(nets[1].parameters(), limits["max_grad_value"])
        plain.step()
        np.testing.assert_allclose(nets[0].parameters().data, nets[1].parameters().data, rtol=1e-6)


def test_functions_refuse_what_is_wrong():
    net = torch_network()
    for call, error, message in (
        (lambda: nn.utils.clip_grad_norm_([net[0].weight], 1.0), TypeError, r"must be net.parameters\(\), got list"),
        (lambda: nn.utils.clip_grad_norm_(net.parameters(), -1.0), ValueError, "max_norm must be at least"),
        (lambda: nn.utils.clip_grad_value_(net, 1.0), TypeError, r"must be net.parameters\(\), got Sequential"),
        (lambda: nn.utils.clip_grad_value_(net.parameters(), math.nan), ValueError, "clip_value must be at least"),
    ):
        with pytest.raises(error, match=message):
            call()


# -- norms -------------------------------------------------------------------------------------------------------------

ORDERS = [0.5, 1, 1.5, 2, 3, 4.25, 300.0, math.inf]


def arrays(dtype):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype(dtype) for shape in ((40, 7), (1,), (), (0, 3), (1000,))]


@pytest.mark.parametrize("order", ORDERS)
def test_norms_are_those_of_one_vector(order, dtype, backend):
    given = arrays(dtype)
    flat = np.concatenate([array.ravel() for array in given]).astype("float64")
    largest = np.abs(flat).max()
    expected = largest if order == math.inf else largest * np.sum(np.abs(flat / largest) ** order) ** (1 / order)
    assert nn.utils.get_total_norm(given, order) == pytest.approx(expected, rel=1e-13)
    assert nn.utils.get_total_norm(iter(given), order) == nn.utils.get_total_norm(tuple(given), order)
    assert nn.utils.get_total_norm(given[0], order) == pytest.approx(
        nn.utils.get_total_norm(list(given[0]), order), rel=1e-13
    )


@pytest.mark.parametrize("order", ORDERS)
def test_norms_have_limits(order, dtype, backend):
    info = np.finfo(dtype)
    assert nn.utils.get_total_norm([], order) == 0.0 == nn.utils.get_total_norm([np.zeros(3, dtype)], order)
    assert math.isnan(nn.utils.get_total_norm([np.array([1.0, np.nan, np.inf], dtype)], order))
    assert nn.utils.get_total_norm([np.array([1.0, -np.inf], dtype)], order) == math.inf
    for number in (info.max, info.smallest_subnormal, info.tiny):
        one = nn.utils.get_total_norm([np.array([0.0, -number], dtype)], order)
        assert one == pytest.approx(float(number), rel=1e-14)
    huge = nn.utils.get_total_norm([np.full(3, np.finfo("float64").max)], order)
    assert huge == (np.finfo("float64").max if order == math.inf else math.inf)


def test_norms_of_any_order_clip_as_pytorch_does(dtype, backend):
    """The numbers of torch 2.13 for the gradients (3, -4) and 12, and max_norm 2."""
    for order, norm, first in (
        (1, 19.0, 0.31578945706371275),
        (2, 13.0, 0.46153842603550577),
        (3, 12.207054953820636, 0.4915190052948094),
        (math.inf, 12.0, 0.4999999583333369),
    ):
        net = nn.Sequential(nn.Linear(2, 1), dtype=dtype.name)
        params = net.parameters()
        params["0.weight"].grad[...], params["0.bias"].grad[...] = [[3.0], [-4.0]], 12.0
        assert nn.utils.clip_grad_norm_(list(params), 2.0, order) == pytest.approx(norm, rel=1e-12)
        tolerance = 1e-6 if dtype == "float32" else 1e-12
        np.testing.assert_allclose(params["0.weight"].grad.ravel(), [first, first * -4 / 3], rtol=tolerance)


def test_some_parameters_are_clipped_alone(dtype, backend):
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), dtype=dtype.name)
    params = net.parameters()
    params.grad[...] = 2.0
    assert nn.utils.clip_grad_norm_([params["0.weight"], params["1.bias"]], 1.0, norm_type=1) == 12.0
    assert [bool((p.grad == 2).all()) for p in params] == [False, True, True, False]
    nn.utils.clip_grad_value_(params["0.bias"], 0.5)
    assert params["0.bias"].grad.tolist() == [0.5, 0.5] and (params["1.weight"].grad == 2).all()
    nn.utils.clip_grads_with_norm_((p for p in params if p.name == "1.weight"), 1.0, total_norm=4.0)
    np.testing.assert_allclose(params["1.weight"].grad, 0.5, rtol=1e-6)
    nn.utils.clip_grads_with_norm_(params, 1.0, total_norm=math.nan)
    assert np.isnan(params["0.weight"].grad).all()


def test_norms_that_must_be_finite_change_nothing(backend):
    params = nn.Sequential(nn.Linear(2, 1)).parameters()
    params["0.weight"].grad[...] = math.inf
    before = params.grad.copy()
    for order in (1, 2, 3, math.inf):
        with pytest.raises(RuntimeError, match="the norm of the gradients is inf, so they cannot be clipped"):
            nn.utils.clip_grad_norm_(params, 1.0, order, error_if_nonfinite=True)
        assert np.array_equal(params.grad, before)


# -- parameters as a vector --------------------------------------------------------------------------------------------


def test_a_vector_of_parameters_and_back(dtype, backend):
    net = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 2), seed=0, dtype=dtype.name)
    vector = nn.utils.parameters_to_vector(net.parameters())
    assert vector.shape == (net.parameters().numel(),) and vector.dtype == dtype
    assert np.array_equal(vector, np.concatenate([view.ravel() for _, view in net.named_parameters()]))
    kept = vector.copy()
    vector += 1
    assert np.array_equal(nn.utils.parameters_to_vector(iter(net.parameters())), kept), "it is a copy"
    nn.utils.vector_to_parameters(vector.astype("float64"), net.parameters())
    assert np.array_equal(nn.utils.parameters_to_vector(net.parameters()), vector)
    bias = net.parameters()["0.bias"]
    nn.utils.vector_to_parameters(np.arange(5.0), bias)
    assert net[0].bias.tolist() == [0, 1, 2, 3, 4] == nn.utils.parameters_to_vector([bias]).tolist()
    assert nn.utils.parameters_to_vector([]).shape == (0,)


def test_more_is_refused():
    net = torch_network()
    before = nn.utils.parameters_to_vector(net.parameters())
    for call, error, message in (
        (
            lambda: nn.utils.get_total_norm(net.parameters()),
            TypeError,
            r"tensors must be arrays, got Parameters: \[p.g",
        ),
        (lambda: nn.utils.get_total_norm([np.arange(3)]), TypeError, r"tensors\[0\] must be"),
        (lambda: nn.utils.get_total_norm([], 0), ValueError, "norm_type must be greater than 0"),
        (lambda: nn.utils.get_total_norm([], math.nan), ValueError, "norm_type must be greater than 0"),
        (
            lambda: nn.utils.clip_grad_norm_(net.parameters(), 1.0, "2"),
            TypeError,
            "norm_type must be a number, got str",
        ),
        (
            lambda: nn.utils.clip_grads_with_norm_(net.parameters(), 1.0, -1.0),
            ValueError,
            "total_norm must be at least",
        ),
        (
            lambda: nn.utils.parameters_to_vector(net),
            TypeError,
            r"must be net.parameters\(\), got Sequential with Linear",
        ),
        (lambda: nn.utils.parameters_to_vector(net[0].weight), TypeError, r"must be net.parameters\(\), got ndarray"),
        (lambda: nn.utils.vector_to_parameters("a", net.parameters()), TypeError, "vec must be"),
        (
            lambda: nn.utils.vector_to_parameters(np.ones(3), net.parameters()),
            ValueError,
            r"vec must have shape \(83,\)",
        ),
        (lambda: nn.utils.vector_to_parameters(np.ones((83, 1)), net.parameters()), ValueError, "vec must have shape"),
    ):
        with pytest.raises(error, match=message):
            call()
    assert np.array_equal(nn.utils.parameters_to_vector(net.parameters()), before)


STALE_USES = {
    "clip_grad_norm_": lambda ps: nn.utils.clip_grad_norm_(ps, 1.0),
    "clip_grads_with_norm_": lambda ps: nn.utils.clip_grads_with_norm_(ps, 1.0, 2.0),
    "clip_grad_value_": lambda ps: nn.utils.clip_grad_value_(ps, 1.0),
    "get_total_norm": lambda ps: nn.utils.get_total_norm(p.grad for p in ps),
    "parameters_to_vector": nn.utils.parameters_to_vector,
    "vector_to_parameters": lambda ps: nn.utils.vector_to_parameters(np.zeros(17, "float32"), ps),
    "optimizer": lambda ps: optim.SGD(ps, lr=0.1),
}


@pytest.mark.parametrize("use", STALE_USES)
@pytest.mark.parametrize("change", ["layers", "dtype"])
def test_parameters_from_before_a_change_are_refused(use, change):
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2), seed=0)
    whole, some = net.parameters(), list(net.parameters())
    if change == "layers":
        net[1], message = nn.Tanh(), "the layers of the network changed: "
    else:
        net.double()
        message = "the network was converted to float64: "
    with pytest.raises(RuntimeError, match=message):
        STALE_USES[use](whole)
    if use != "get_total_norm":  # of plain arrays
        with pytest.raises(RuntimeError, match=message):
            STALE_USES[use](some)
    assert repr(whole).startswith("Parameters(17 values")
    STALE_USES[use](net.parameters())
