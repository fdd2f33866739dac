"""JAX: parameters of networks as trees of arrays, with the names of Flax, and back.

Needs JAX: pip install "fastnn-core[jax]".
"""

try:
    import jax as _jax
except ImportError as error:
    raise ImportError('fastnn.jax needs JAX, which is not installed: pip install "fastnn-core[jax]"') from error

from .trees import from_tree, to_tree

del _jax

__all__ = ["from_tree", "to_tree"]


def __dir__() -> list[str]:
    return sorted(__all__)
