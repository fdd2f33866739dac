"""Functions that initialize arrays in place, with PyTorch's names.

They are for layers of your own and for initializing parameters again. Each returns the array. Those that draw random
numbers take a `seed`, which alone determines them. A matrix has shape (in, out), like the weight of a layer here;
PyTorch's have (out, in).
"""

from .distributions import constant_, normal_, ones_, trunc_normal_, uniform_, zeros_
from .fans import kaiming_normal_, kaiming_uniform_, lecun_normal_, lecun_uniform_, xavier_normal_, xavier_uniform_
from .matrices import eye_, orthogonal_, sparse_

__all__ = [
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
