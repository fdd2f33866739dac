"""ONNX: networks to and from .onnx files, and ONNX operators computed by the kernels of fastnn.

It needs the onnx package: `pip install "fastnn-core[onnx]"`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import _package  # noqa: F401  (raises ImportError with the way out where onnx is missing)

if TYPE_CHECKING:
    from . import backend
    from .exporting import export
    from .formulas import Elementwise, Product, Quotient, SumFeatures
    from .layer_nodes import converter
    from .loading import load
    from .operators import new_ops

__all__ = [
    "Elementwise",
    "Product",
    "Quotient",
    "SumFeatures",
    "backend",
    "converter",
    "export",
    "load",
    "new_ops",
]

LAZY = {
    **dict.fromkeys(("Elementwise", "Product", "Quotient", "SumFeatures"), "formulas"),
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
