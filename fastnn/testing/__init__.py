"""A reference to check other implementations against: cases of all operations, and what is right.

`docs/testing.md` shows how somebody with an implementation of their own uses it.
"""

from .adapters import jax_functions, torch_functions
from .backend import Failure, Report, Result, check_backend
from .vectors import trajectory, write_vectors

__all__ = [
    "Failure",
    "Report",
    "Result",
    "check_backend",
    "jax_functions",
    "torch_functions",
    "trajectory",
    "write_vectors",
]


def __dir__() -> list[str]:
    return sorted(__all__)
