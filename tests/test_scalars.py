"""Arrays without axes, of one number and of none: both backends give one shape, dtype and value, or one error."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn.testing.cases.ops import FUNCTIONS, case_id
from fastnn.testing.cases.records import results

SHAPES = ((), (1,), (0,))


def attempt(op, call, backend):
    with fastnn.use_backend(backend), np.errstate(all="ignore"):
        try:
            return results(op.function, call)
        except (TypeError, ValueError) as error:
            return type(error), str(error)


def calls(op, shape, dtype):
    """Those that the record makes of such a shape; rows and matrices have none without axes."""
    for options in op.options:
        try:
            yield op.make(shape, np.dtype(dtype), np.random.default_rng(0), **options)
        except (IndexError, ValueError, TypeError):
            continue


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("op", FUNCTIONS, ids=case_id)
def test_backends_agree(op, shape, dtype):
    for call in calls(op, shape, dtype):
        native, reference = attempt(op, call, "native"), attempt(op, call, "reference")
        if isinstance(native[0], type) or isinstance(reference[0], type):
            assert native == reference
            continue
        for a, b in zip(native, reference, strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            # Of one number, norms subtract it from itself: what is left is rounding of the terms, which are up to 40.
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=40 * np.finfo(dtype).eps)


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("op", FUNCTIONS, ids=case_id)
def test_results_without_axes_are_numpy_scalars(op, dtype, backend):
    for call in calls(op, (), dtype):
        with fastnn.use_backend(backend), np.errstate(all="ignore"):
            try:
                found = op.function(*call.args, **call.kwargs)
            except (TypeError, ValueError):
                continue
        for result in found if isinstance(found, tuple) else (found,):
            if np.shape(result) == () and not any(result is given for given in call.args):
                assert isinstance(result, np.generic), type(result)


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_values_of_scalars_are_those_by_hand(dtype, backend):
    scalar = np.dtype(dtype).type
    with fastnn.use_backend(backend):
        x, g, weight = np.array(-2, dtype), np.array(1.5, dtype), np.array([0.25], dtype)
        grad_x, grad_weight = F.prelu_backward(g, x, weight)
        assert grad_x.shape == () and grad_x == scalar(0.375) and grad_weight.tolist() == [-3.0]
        grad_x, grad_t = F.temperature_scale_backward(g, x, np.array([2], dtype))
        assert grad_x.shape == () and grad_x == scalar(0.75) and grad_t.tolist() == [0.75]
        log_p, target = np.array(-0.5, dtype), np.array(1, dtype)
        for reduction in ("mean", "sum", "none"):
            assert F.kl_div(log_p, target, reduction) == scalar(0.5)  # 1 (log 1 + 0.5)
            assert F.kl_div_backward(g, log_p, target, reduction) == scalar(-1.5)
        weight = np.array(2, dtype)
        assert F.kl_div(log_p, target, "sum", weight) == F.kl_div(log_p, target, "none", weight) == scalar(1)
        assert F.kl_div(log_p, target, "mean", weight) == scalar(0.5)
        with pytest.raises(ValueError, match="input must have an axis of rows for reduction 'batchmean'"):
            F.kl_div(log_p, target, "batchmean")
        with pytest.raises(ValueError, match=r"sample_weight must have shape \(\), as input has, got \(1,\)"):
            F.mse_loss(x, g, sample_weight=np.ones(1, dtype))
