"""The examples in docstrings run, on both backends, and every public name has one."""

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import re

import pytest

import fastnn
from fastnn import callbacks, data, functional, metrics, nn, optim

HAS_ONNX = bool(importlib.util.find_spec("onnx") and importlib.util.find_spec("onnx.helper"))
LEFT_OUT = {"fastnn.__main__"} | (set() if HAS_ONNX else {"fastnn.onnx"})
# Rooms that need another library, which may be missing; by name, its modules.
PARTNERS = {
    "torch": ("torch",),
    "keras": ("keras",),
    "jax": ("jax",),
    "thinc": ("thinc",),
    "sklearn": ("sklearn",),
    "playground": ("starlette",),
    "viz": ("matplotlib",),
}
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(fastnn.__path__, "fastnn.")
    if not module.name.startswith(("fastnn._core", "fastnn.bench")) and module.name not in LEFT_OUT
    if not re.fullmatch(r"fastnn\.course\.c\d\d_\w+", module.name)  # scripts
)
ONNX = ("Elementwise", "Product", "Quotient", "SumFeatures", "converter", "export", "load")
PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (functional, nn, nn.init, optim, optim.functional, optim.lr_scheduler, metrics, data, callbacks)
    for name in module.__all__
    if not inspect.ismodule(getattr(module, name))
} | ({f"fastnn.onnx.{name}": getattr(fastnn.onnx, name) for name in ONNX} if HAS_ONNX else {})


@pytest.mark.parametrize("name", ["fastnn", *MODULES])
@pytest.mark.usefixtures("backend")
def test_examples_run(name):
    for partner in PARTNERS.get(name.split(".")[1] if "." in name else "", ()):
        pytest.importorskip(partner, reason=f"{partner} is not installed")
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_a_docstring_with_an_example(name):
    text = inspect.getdoc(PUBLIC[name]) or ""
    assert text.splitlines() and (">>> " in text or re.search(r"`\w+` has\s+an\s+example", text))
