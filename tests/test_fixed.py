"""Attributes that are set once, since compiled programs rely on them."""

import numpy as np
import pytest

from fastnn import nn, optim

FIXED = [
    (lambda: nn.Linear(3, 3), ("in_features", "out_features")),
    (lambda: nn.Embedding(5, 2), ("num_embeddings", "embedding_dim", "padding_idx")),
    (lambda: nn.LayerNorm(3), ("features", "affine")),
    (lambda: nn.RMSNorm(3), ("features",)),
    (lambda: nn.BatchNorm1d(3), ("features", "num_features", "track_running_stats")),
    (lambda: nn.PReLU(3), ("num_parameters",)),
    (lambda: nn.ReLU(), ("kernel",)),
    (lambda: nn.Maxout(3), ("kernel",)),
    (lambda: nn.Softmax(), ("kernel",)),
    (lambda: nn.Dropout(), ("kernel",)),
    (lambda: nn.Sequential(nn.Linear(3, 3)), ("dtype", "layers")),
    (lambda: nn.Linear(3, 3)._alone("float32").parameters(), ("data", "grad", "settings", "dtype")),
]


@pytest.mark.parametrize(("make", "names"), FIXED, ids=lambda value: ",".join(value) if type(value) is tuple else "")
def test_attributes_that_memory_was_laid_out_by_cannot_be_set(make, names):
    thing = make()
    for name in names:
        with pytest.raises(AttributeError, match=r"make a new|params\.data|no setter|has no"):
            setattr(thing, name, 10**6)
        with pytest.raises(AttributeError):
            delattr(thing, name)


@pytest.mark.parametrize("make", [nn.ReLU, nn.Dropout, lambda: nn.Sequential(nn.Linear(1, 1)), nn.MSELoss, nn.NLLLoss])
def test_what_belongs_to_a_class_cannot_be_set_in_an_object(make):
    thing = make()
    optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters())
    names = {"kernel", "planned", "is_network", "fixed", "way_out", "root", "classes", "logits", "name"}
    mine = [(thing, name) for name in names if hasattr(thing, name)]
    for owner, name in [*mine, (optimizer, "rule"), (optimizer, "searches")]:
        before = getattr(owner, name)
        with pytest.raises(AttributeError, match="belongs to the class: make a new"):
            setattr(owner, name, np.array(3))
        assert getattr(owner, name) == before


def test_values_of_parameters_can_be_set():
    params = nn.Sequential(nn.Linear(2, 2), seed=0).parameters()
    params.data += 1
    params.grad *= 0
    params.data[...] = 3
    assert params["0.weight"].data.min() == 3
