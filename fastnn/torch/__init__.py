"""PyTorch: networks to and from torch modules and their state dicts, and networks as modules of a torch model.

`docs/from_pytorch.md` has the table of equivalents. Needs PyTorch: pip install "fastnn-core[torch]".
"""

try:
    import torch as _torch
except ImportError as error:
    raise ImportError('fastnn.torch needs PyTorch, which is not installed: pip install "fastnn-core[torch]"') from error

from .block import Block
from .exporting import to_torch
from .importing import from_torch
from .state import load_file, load_state_dict, save_file, state_dict

del _torch

__all__ = ["Block", "from_torch", "load_file", "load_state_dict", "save_file", "state_dict", "to_torch"]


def __dir__() -> list[str]:
    return sorted(__all__)
