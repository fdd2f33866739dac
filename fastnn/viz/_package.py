"""The import of matplotlib, with a clear message where it is missing."""

from __future__ import annotations

MISSING = 'fastnn.viz needs matplotlib, which is not installed: pip install "fastnn-core[viz]"'

try:
    import matplotlib  # noqa: F401
except ImportError as error:
    raise ImportError(MISSING) from error
