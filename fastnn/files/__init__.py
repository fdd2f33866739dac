"""Files of whole models and of training runs: safetensors with a description in JSON. No pickle, no code."""

from .format import FileFormatError
from .model import load, register_layer

__all__ = ["FileFormatError", "load", "register_layer"]
