"""Initial values of parameters, with PyTorch's names: by name, as objects, and for arrays in place.

    nn.Linear(4, 8, weight_init="kaiming_normal", bias_init="zeros")
    nn.Linear(8, 8, weight_init=nn.init.Orthogonal(gain=2))
    nn.init.xavier_uniform_(array, gain=1.0, seed=0)

A weight has shape (in_features, out_features), where PyTorch's has (out_features, in_features). Random numbers come
from a stream that the network's seed and the layer's position select, so they depend on neither the other layers nor
the number of threads.
"""

from .draws import Draws
from .inplace import (
    constant_,
    eye_,
    kaiming_normal_,
    kaiming_uniform_,
    lecun_normal_,
    lecun_uniform_,
    normal_,
    ones_,
    orthogonal_,
    sparse_,
    trunc_normal_,
    uniform_,
    xavier_normal_,
    xavier_uniform_,
    zeros_,
)
from .rules import (
    Constant,
    Eye,
    Initializer,
    KaimingNormal,
    KaimingUniform,
    LecunNormal,
    LecunUniform,
    Normal,
    Ones,
    Orthogonal,
    Sparse,
    TruncNormal,
    Uniform,
    XavierNormal,
    XavierUniform,
    Zeros,
    calculate_gain,
)

Identity = Eye

__all__ = [
    "Constant",
    "Draws",
    "Eye",
    "Identity",
    "Initializer",
    "KaimingNormal",
    "KaimingUniform",
    "LecunNormal",
    "LecunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "Sparse",
    "TruncNormal",
    "Uniform",
    "XavierNormal",
    "XavierUniform",
    "Zeros",
    "calculate_gain",
    "constant_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lecun_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]


def __dir__() -> list[str]:
    return sorted(__all__)
