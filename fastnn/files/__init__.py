"""Files of networks and training runs: safetensors with a description in JSON. No pickle, and no code is run."""

from .checkpoint import load_checkpoint, save_checkpoint
from .format import FileFormatError
from .model import load, register_layer

__all__ = ["FileFormatError", "load", "load_checkpoint", "register_layer", "save_checkpoint"]
