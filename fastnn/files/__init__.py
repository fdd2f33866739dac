"""Files: safetensors with a description in JSON and a checksum, put into their places at once. No pickle, no code.

What a network writes is in `nn.saving`, what a trainer writes in `training.checkpoint`.
"""

from .format import FileFormatError

__all__ = ["FileFormatError"]
