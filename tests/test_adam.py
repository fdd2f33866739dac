"""Adam and its variants at step numbers beyond any training, and with decoupled weight decay."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("rule", ["adam_step", "adamw_step", "nadam_step", "radam_step", "adamax_step", "adagrad_step"])
def test_steps_beyond_any_training(rule, backend):
    """Late steps take no longer than early ones; those that no float holds are refused."""
    function = getattr(optim.functional, rule)
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


@pytest.mark.parametrize("compat", ["torch", "keras", "onnx"])
def test_decoupled_weight_decay_is_adamw(compat, dtype, backend):
    """The keyword of PyTorch 2.13, for all parameters and for a group."""
    ends = []
    for rule, options in (
        (optim.AdamW, {"weight_decay": 0.25}),
        (optim.Adam, {"weight_decay": 0.25, "decoupled_weight_decay": True}),
        (optim.Adam, {"weight_decay": 0.25, "groups": [{"params": "*", "decoupled": True}]}),
    ):
        net = nn.Sequential(nn.Linear(4, 3), seed=0, dtype=dtype.name)
        optimizer = rule(net.parameters(), lr=0.125, compat=compat, amsgrad=True, **options)
        for _ in range(3):
            net.parameters().grad[...] = net.parameters().data * 0.5
            optimizer.step()
        ends.append(net.parameters().data)
    for end in ends[1:]:
        assert_same_bits(end, ends[0])
    assert optim.Adam(net.parameters(), decoupled_weight_decay=True).decoupled_weight_decay is True
    assert optim.Adam(net.parameters()).decoupled_weight_decay is False


def test_what_cannot_be_decoupled():
    params = nn.Sequential(nn.Linear(2, 2)).parameters()
    with pytest.raises(ValueError, match="compat must be one of 'torch', 'keras', 'onnx', got 'sklearn'"):
        optim.Adam(params, decoupled_weight_decay=True, compat="sklearn")
    with pytest.raises(TypeError, match="decoupled_weight_decay must be True or False"):
        optim.Adam(params, decoupled_weight_decay="yes")
