"""net.fold(): networks without the batch normalizations that linear layers can take over."""

import io
import warnings

import numpy as np
import pytest

import fastnn
from fastnn import nn
from support.normalized import data

FOLDED = {
    "after": lambda: [nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3)],
    "before": lambda: [nn.BatchNorm1d(4), nn.Linear(4, 5), nn.ReLU()],
    "both": lambda: [nn.BatchNorm1d(4), nn.BatchNorm1d(4), nn.Linear(4, 5, bias=False), nn.BatchNorm1d(5), nn.GELU()],
    "without affine": lambda: [nn.Linear(4, 5), nn.BatchNorm1d(5, affine=False), nn.LayerNorm(5), nn.Dropout(0.5)],
    "nested": lambda: [nn.Sequential(nn.Linear(4, 5)), nn.Sequential(nn.BatchNorm1d(5), nn.Tanh())],
    "branches": lambda: [nn.Residual(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 4)),
                         nn.Concat(nn.Sequential(), nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2)))],
}  # fmt: skip


def randomized(layers, dtype):
    net = nn.Sequential(*layers, seed=0, dtype=dtype)
    rng = np.random.default_rng(1)
    for name, view in [*net.named_parameters(), *net.named_buffers()]:
        if name.endswith(("running_var", "weight")) and view.ndim == 1:
            view[...] = rng.uniform(0.5, 2, view.shape)
        elif view.ndim == 1:
            view[...] = rng.normal(size=view.shape)
    return net


@pytest.mark.parametrize("name", FOLDED)
def test_folding_keeps_predictions(name, dtype, backend):
    net = randomized(FOLDED[name](), dtype)
    x = data(30)[0].astype(dtype)
    before = {name: array.tobytes() for name, array in net.state_dict().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folded = net.fold()
    assert "BatchNorm1d" not in repr(folded)
    assert (folded.seed, folded.dtype) == (net.seed, net.dtype)
    np.testing.assert_allclose(folded(x), net.predict(x), rtol=1e-4 if dtype == "float32" else 1e-12, atol=1e-5)
    assert {name: array.tobytes() for name, array in net.state_dict().items()} == before
    folded.parameters().data[...] = 0
    assert {name: array.tobytes() for name, array in net.state_dict().items()} == before


def test_folding_says_what_stays():
    net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 3),
                        nn.BatchNorm1d(3, track_running_stats=False), seed=0)  # fmt: skip
    message = r"2 BatchNorm1d\(5, .*\) has no Linear beside it; 5 BatchNorm1d\(3, .*\) keeps no running statistics"
    with pytest.warns(UserWarning, match=message):
        folded = net.fold()
    x = data(9)[0].astype("float32")
    np.testing.assert_allclose(folded(x), net.predict(x), rtol=1e-5, atol=1e-6)


def test_a_file_holds_folded_branches():
    body = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU())
    branches = nn.Concat(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)), nn.Identity())
    heads = nn.Heads(a=nn.Sequential(nn.Linear(7, 2), nn.BatchNorm1d(2)), b=nn.Linear(7, 1))
    net = nn.Sequential(nn.Residual(body), branches, heads, seed=0).fold()
    file = io.BytesIO()
    net.save(file)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    np.testing.assert_array_equal(fastnn.load(file.getvalue()).eval().predict(x), net.predict(x))
