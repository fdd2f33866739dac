"""Tensors and parameters share memory by DLPack, without a copy."""

import numpy as np
import pytest

from fastnn import _validation as check
from fastnn import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


def test_parameters_are_tensors_on_the_same_memory():
    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    for p in net.parameters():
        tensor = torch.from_dlpack(p)
        assert tensor.data_ptr() == p.data.ctypes.data and tuple(tensor.shape) == p.shape
        tensor.fill_(0.5)
    assert (net[0].weight == 0.5).all() and (net[0].bias == 0.5).all()


def test_tensors_come_in_without_a_copy():
    x = torch.randn(4, 3)
    assert check.as_array("x", x).ctypes.data == x.data_ptr()
    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    np.testing.assert_array_equal(net.predict(x), net.predict(x.numpy()))
    assert torch.from_dlpack(net.predict(x)).shape == (4, 2)
    with pytest.raises(TypeError, match="requires grad"):
        net.predict(x.requires_grad_())
