"""Adam and its kin at step numbers beyond any training."""

import numpy as np
import pytest

import fastnn
import fastnn.optim.functional as optim


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("rule", ["adam_step", "adamw_step", "nadam_step", "radam_step", "adamax_step", "adagrad_step"])
def test_steps_beyond_any_training(rule, backend):
    """Late steps take no longer than early ones; those that no float holds are refused."""
    function = getattr(optim, rule)
    states = 1 if rule == "adagrad_step" else 2
    with fastnn.use_backend(backend):
        for betas in ((0.9, 0.999), (0.999999, 0.999)) if states == 2 else (None,):
            param, arrays = np.ones(3), [np.zeros(3) for _ in range(states)]
            function(param, np.ones(3), *arrays, step=2**40, **({} if betas is None else {"betas": betas}))
            assert np.isfinite(param).all()
            assert (param < 1).all()
        for step in (2**63, 2**70, 2**53 + 1):
            param, arrays = np.ones(3), [np.zeros(3) for _ in range(states)]
            with pytest.raises(ValueError, match=f"step must be at most {2**53}, got {step}"):
                function(param, np.ones(3), *arrays, step=step)
            assert (param == 1).all()
            assert not any(array.any() for array in arrays)
