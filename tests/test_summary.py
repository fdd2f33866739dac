"""The table of a network's layers."""

import pytest

from fastnn import nn


def test_summary():
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Residual(nn.Linear(8, 8), nn.Tanh()), nn.Linear(8, 3), seed=0)
    summary = net.summary()
    assert summary.parameters == net.parameters().numel() == 40 + 72 + 27
    assert summary.nbytes == 4 * summary.parameters
    assert [(s.name, s.depth, s.in_features, s.out_features) for s in summary.layers] == [
        ("0", 0, 4, 8), ("1", 0, 8, 8), ("2", 0, 8, 8), ("2.body.0", 1, 8, 8), ("2.body.1", 1, 8, 8), ("3", 0, 8, 3),
    ]  # fmt: skip
    assert summary.flops == 2 * (4 * 8 + 8 * 8 + 8 * 3) + 3 * 8
    assert "2.body.0" in str(summary)
    assert "139 parameters, 556 bytes as float32" in str(summary)


def test_summary_of_any_number_of_features():
    net = nn.Sequential(nn.Tanh())
    assert net.summary(5).layers[0].out_features == 5
    with pytest.raises(ValueError, match="in_features must be given"):
        net.summary()
