"""Keras: networks from Sequential and Functional models, on any backend of Keras.

Needs Keras 3 and one of its backends: pip install "fastnn-core[keras]".
"""

try:
    import keras as _keras
except ImportError as error:
    raise ImportError(
        "fastnn.keras needs Keras, and JAX, PyTorch or TensorFlow under it, which are not installed: pip install "
        f'"fastnn-core[keras]" jax, and set KERAS_BACKEND=jax ({error})'
    ) from error

from .importing import from_keras

del _keras

__all__ = ["from_keras"]


def __dir__() -> list[str]:
    return sorted(__all__)
