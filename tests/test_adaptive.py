"""Rules that divide by a root of squares: without eps, what has no gradient stays."""

import numpy as np
import pytest

from fastnn.testing.cases.ops import case_id
from test_updates import CASES, run, steps

# Rules that divide by something with an eps: constant gradients, and none at all, with an eps that is 0 in the dtype.
ADAPTIVE = [
    pytest.param(op, options, id=case_id((op, options)))
    for op, options in CASES
    if op.name not in ("sgd_step", "lion_step", "rprop_step", "asgd_step")
]


@pytest.mark.parametrize("eps", [0.0, 1e-320])
@pytest.mark.parametrize("of_reference", [False, True])
@pytest.mark.parametrize(("op", "options"), ADAPTIVE)
def test_without_eps_what_has_no_gradient_stays(op, options, eps, of_reference, dtype, isa, rng):
    """And what has one is updated as ever."""
    options = {**options, "eps": eps, "weight_decay": 0.0}
    arrays, schedule = steps(op, options, (37,), dtype, rng)
    for state in arrays[2:]:
        if state is not None:
            state[...] = 0
    for grad, _ in schedule:
        grad[::3] = 0
    start = arrays[0].copy()
    param = run(op.reference if of_reference else op.function, arrays, schedule)[0]
    np.testing.assert_array_equal(param[::3], start[::3])
    assert np.isfinite(param).all()
    if op.name != "adadelta_step":  # its first step is as large as eps
        assert (param != start)[1::3].all()
