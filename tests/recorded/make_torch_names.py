"""Makes torch_names.json: the public names of PyTorch's modules that docs/pytorch_names.md compares with ours.

    python tests/recorded/make_torch_names.py      (PyTorch 2.13)

Classes and functions are listed; modules, and names that begin with an underscore, are not.
"""

import inspect
import json
from pathlib import Path

import torch

MODULES = {
    "nn": torch.nn,
    "nn.functional": torch.nn.functional,
    "nn.init": torch.nn.init,
    "nn.utils": torch.nn.utils,
    "optim": torch.optim,
    "optim.lr_scheduler": torch.optim.lr_scheduler,
}
# What these modules import for themselves.
FOREIGN = ("typing", "collections", "enum", "functools", "math", "warnings", "weakref", "types", "bisect", "copy")


def is_public(module, name):
    """Whether a name is a class or function of PyTorch's API there."""
    value = getattr(module, name)
    if name.startswith("_") or inspect.ismodule(value) or not callable(value):
        return False
    if name in getattr(module, "__all__", ()):
        return True
    home = getattr(value, "__module__", None) or "torch"
    if home.split(".")[0] in FOREIGN or name in ("Tensor", "TypeVar", "ParamSpec", "Callable"):
        return False
    if module is torch.nn.functional:
        return not inspect.isclass(value) and home in ("torch.nn.functional", "torch._C._nn", "torch", "builtins")
    return not hasattr(module, "__all__") and home.startswith(module.__name__)


def main():
    names = {key: sorted(name for name in dir(module) if is_public(module, name)) for key, module in MODULES.items()}
    text = json.dumps({"torch": torch.__version__.split("+")[0]} | names, indent=1)
    Path(__file__).with_name("torch_names.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
