"""Arguments that are paths of files."""

from __future__ import annotations

import os
from typing import Any


def check_path(name: str, value: Any) -> Any:
    """`value` as a str (or bytes), as `os.fspath` gives it; TypeError that names the argument if it is no path.

    Examples
    --------
    >>> import pathlib
    >>> from fastnn.training.paths import check_path
    >>> check_path("path", pathlib.PurePosixPath("folder/file"))
    'folder/file'
    >>> check_path("path", 3)
    Traceback (most recent call last):
    TypeError: path must be a str or a path, got int
    """
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise TypeError(f"{name} must be a str or a path, got {type(value).__name__}")
    return os.fspath(value)
