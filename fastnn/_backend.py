"""Which backend computes: the compiled core, or its NumPy reference."""

from __future__ import annotations

import os
from types import TracebackType

from ._core import dispatch
from ._validation import check_choice

BACKENDS = ("native", "reference")


def get_backend() -> str:
    """Name of the backend in use: "native" or "reference"."""
    return "reference" if dispatch.get_reference() else "native"


class use_backend:
    """Use a backend from now on, or within a `with` block.

    The reference backend computes the same with plain NumPy, for checking and teaching. The choice holds for this
    thread (or task of asyncio) alone; the environment variable FASTNN_BACKEND makes it for all that choose nothing.

    Parameters
    ----------
    name : {"native", "reference"}

    Raises
    ------
    ValueError
        If the name is another.

    Examples
    --------
    >>> import fastnn
    >>> with fastnn.use_backend("reference"):
    ...     fastnn.get_backend()
    'reference'
    """

    def __init__(self, name: str) -> None:
        check_choice("backend", name, BACKENDS)
        self._before = dispatch.get_choice()
        dispatch.set_reference(name == "reference")

    def __enter__(self) -> use_backend:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        dispatch.set_choice(self._before)


if os.environ.get("FASTNN_BACKEND"):
    try:
        check_choice("backend", os.environ["FASTNN_BACKEND"], BACKENDS)
        dispatch.set_default(os.environ["FASTNN_BACKEND"] == "reference")
    except ValueError as error:
        raise ValueError(f"FASTNN_BACKEND: {error}") from None
