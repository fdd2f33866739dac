"""Initial values of parameters, with PyTorch's names: by name, as objects, and for arrays in place.

    nn.Linear(4, 8, weight_init="kaiming_normal", bias_init="zeros")
    nn.Linear(8, 8, weight_init=nn.init.Orthogonal(gain=2))
    nn.init.xavier_uniform_(array, gain=1.0, seed=0)

A weight has shape (in_features, out_features), where PyTorch's has (out_features, in_features). Random numbers come
from a stream that the network's seed and the layer's position select, so they depend on neither the other layers nor
the number of threads.

"glorot_" and "he_" are other names of "xavier_" and "kaiming_": those of Keras and JAX. The uniform rules of these
libraries are the same (but "he_uniform" takes the gain of the activation that follows, theirs that of ReLU). Their
normal rules, "lecun_normal" included, draw from a normal distribution that is cut off at two standard deviations and
scaled so that its variance is that of the rule; the ones here are not cut off, as PyTorch's. The variance is the same;
`TruncNormal(0.0, s, -2 * s, 2 * s)` with s = std / 0.87962566 draws theirs, where std is that of the rule.
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
GlorotUniform, GlorotNormal, HeUniform, HeNormal = XavierUniform, XavierNormal, KaimingUniform, KaimingNormal
glorot_uniform_, glorot_normal_, he_uniform_, he_normal_ = (
    xavier_uniform_, xavier_normal_, kaiming_uniform_, kaiming_normal_,
)  # fmt: skip

__all__ = [
    "Constant",
    "Draws",
    "Eye",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
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
    "glorot_normal_",
    "glorot_uniform_",
    "he_normal_",
    "he_uniform_",
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
