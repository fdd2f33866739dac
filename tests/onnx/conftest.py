"""These tests need the onnx package, which the extra "test" has; this folder must not be a package of its name."""

import pytest

pytest.importorskip("onnx.helper", exc_type=ImportError)
