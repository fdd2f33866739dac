"""These tests need the onnx package, which the extra "test" has. This folder is no package: it would have that name."""

import importlib.util

if not (importlib.util.find_spec("onnx") and importlib.util.find_spec("onnx.helper")):
    collect_ignore_glob = ["test_*.py"]
