"""The import of the onnx package, with a clear message where it is missing."""

from __future__ import annotations

MISSING = 'fastnn.onnx needs the onnx package: pip install "fastnn-core[onnx]"'

try:
    import onnx.checker
    import onnx.helper
    import onnx.numpy_helper  # noqa: F401
except ImportError as error:
    raise ImportError(MISSING) from error
