"""ONNX: networks to and from .onnx files, and ONNX operators computed by the kernels of fastnn.

It needs the onnx package: `pip install "fastnn[onnx]"`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import _package  # noqa: F401  (raises ImportError with the way out where onnx is missing)

if TYPE_CHECKING:
    from . import backend
    from .exporting import export
    from .layer_nodes import converter
    from .loading import load
    from .operators import new_ops
    from .product import Product

__all__ = ["Product", "backend", "converter", "export", "load", "new_ops"]

LAZY = {
    "Product": "product",
    "converter": "layer_nodes",
    "export": "exporting",
    "load": "loading",
    "new_ops": "operators",
}


def __getattr__(name: str) -> Any:
    if name == "backend":
        return import_module(f"{__name__}.backend")
    if name not in LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{LAZY[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
