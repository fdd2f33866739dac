"""NAdam: the product of the momenta of all steps."""

import numpy as np
import pytest

import fastnn.optim.functional as optim
from fastnn import reference
from fastnn.reference.optimizers.adam import product_of_momenta


def nadam_steps(function, arrays, schedule, **more):
    """The parameters and averages after steps of NAdam with these (gradient, betas)."""
    arrays = [array.copy() for array in arrays]
    for t, (grad, betas) in enumerate(schedule, start=1):
        function(arrays[0], grad, *arrays[1:], step=t, betas=betas, **more)
    return arrays


@pytest.mark.parametrize("function", [optim.nadam_step, reference.nadam_step])
def test_the_product_of_momenta(function, rng):
    """Without it, the rates have always been these; with it, they may change."""
    arrays = [rng.normal(size=9), np.zeros(9), np.zeros(9)]
    gradients = rng.normal(size=(60, 9))
    constant = [(grad, (0.9, 0.999)) for grad in gradients]
    product = np.ones(1)
    with_product = nadam_steps(function, arrays, constant, mu_product=product)
    for a, e in zip(with_product, nadam_steps(function, arrays, constant), strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-13)
    momenta = 0.9 * (1 - 0.5 * 0.96 ** (np.arange(1, 61) * 4e-3))
    assert product[0] == pytest.approx(momenta.prod())
    changing = [(grad, (0.5 + 0.005 * t, 0.999)) for t, grad in enumerate(gradients)]
    ends = [nadam_steps(f, arrays, changing, mu_product=np.ones(1)) for f in (function, reference.nadam_step)]
    for a, e in zip(*ends, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-11)


def test_nadam_after_very_many_steps(rng):
    """The product is too small to be a number then."""
    for product in (None, np.array([0.0]), np.array([1e-310])):
        param = np.ones(3)
        optim.nadam_step(param, np.ones(3), np.ones(3), np.ones(3), step=10**6, mu_product=product)
        np.testing.assert_allclose(param, 1 - 2e-3, rtol=1e-6)


def test_a_product_of_momenta_that_cannot_be_updated():
    frozen = np.ones(1)
    frozen.flags.writeable = False
    for wrong, error in (
        (1.0, TypeError),
        (np.ones(1, "float32"), TypeError),
        (np.ones(2), ValueError),
        (frozen, ValueError),
        (np.array([-0.5]), ValueError),
        (np.array([np.nan]), ValueError),
    ):
        param = np.ones(3)
        with pytest.raises(error, match="mu_product must be"):
            optim.nadam_step(param, np.ones(3), np.zeros(3), np.zeros(3), step=1, mu_product=wrong)
        assert (param == 1).all()


@pytest.mark.parametrize(("beta1", "decay", "step"), [(0.999999, 4e-2, 30_000), (0.99999, 1.0, 5000), (0.9, 0.0, 30)])
def test_the_momenta_of_a_late_step_are_those_of_all_before(beta1, decay, step):
    """The product, which is in closed form from where momenta no longer change, against all its factors."""
    expected = np.prod(beta1 * (1 - 0.5 * 0.96 ** (np.arange(1, step) * decay)))
    product = product_of_momenta(beta1, decay, step - 1)
    assert product == pytest.approx(expected, rel=1e-9) or max(product, expected) < 1e-20
    params = [np.ones(4), np.ones(4)]
    for function, param in zip((optim.nadam_step, reference.nadam_step), params, strict=True):
        options = {"momentum_decay": decay, "betas": (beta1, 0.999), "step": step}
        function(param, np.full(4, 0.5), np.full(4, 0.1), np.full(4, 0.2), **options)
    np.testing.assert_allclose(*params, rtol=1e-12)
