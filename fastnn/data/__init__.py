"""Small data sets, and the preparation of arrays for training: splitting, scaling, batches, weights, mixup."""

from .batches import batches
from .digits import load_digits
from .mixup import Mixup
from .shards import Shards
from .split import standardize, train_test_split
from .toys import make_blobs, make_circles, make_moons, make_spirals, make_xor
from .weights import class_weights

__all__ = [
    "Mixup",
    "Shards",
    "batches",
    "class_weights",
    "load_digits",
    "make_blobs",
    "make_circles",
    "make_moons",
    "make_spirals",
    "make_xor",
    "standardize",
    "train_test_split",
]


def __dir__() -> list[str]:
    return sorted(__all__)
