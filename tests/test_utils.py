"""nn.utils: gradient clipping in loops of one's own."""

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
