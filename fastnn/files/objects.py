"""Files that are not paths: binary file objects, and bytes in memory."""

from __future__ import annotations

import io
import os
from typing import Any, NoReturn, Protocol

from .replace import Path

NOTHING_BUT = "path must be a str, a path or a binary file object"


class Writable(Protocol):
    """A file object opened for binary writing."""

    def write(self, data: bytes, /) -> Any: ...


class Readable(Protocol):
    """A file object opened for binary reading."""

    def read(self, size: int = -1, /) -> bytes: ...


Target = Path | Writable
Source = Path | Readable | bytes | bytearray | memoryview


def label(file: Any) -> Any:
    """What messages call a file: the path of one that has a path."""
    if isinstance(file, (str, os.PathLike)):
        return file
    return "the data" if isinstance(file, (bytes, bytearray, memoryview)) else "the file"


def put(target: Writable, data: bytes) -> None:
    """Write all of these bytes to a file object, where it is.

    Raises
    ------
    TypeError
        If it is none, or one for text.
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import io
    >>> from fastnn.files.objects import put
    >>> file = io.BytesIO()
    >>> put(file, b"some bytes")
    >>> file.getvalue()
    b'some bytes'
    """
    if not callable(getattr(target, "write", None)):
        raise TypeError(f"{NOTHING_BUT}, got {type(target).__name__}")
    if isinstance(target, io.TextIOBase):
        _refuse_text("wb")
    while data:
        written = target.write(data)
        if written is None and isinstance(target, io.RawIOBase):
            raise BlockingIOError("the file object is not ready to be written, and does not wait")
        data = data[written:] if isinstance(written, int) else b""


def contents(source: Source) -> bytes | bytearray | memoryview:
    """The bytes themselves, or what a file object has from where it is to its end; it stays open.

    Raises
    ------
    TypeError
        If it is neither, or a file object for text.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import io
    >>> from fastnn.files.objects import contents
    >>> contents(io.BytesIO(b"some bytes"))
    b'some bytes'
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return source
    read = getattr(source, "read", None)
    if not callable(read):
        raise TypeError(f"{NOTHING_BUT}, or bytes, got {type(source).__name__}")
    pieces = []
    while piece := read():
        if isinstance(piece, str):
            _refuse_text("rb")
        pieces.append(piece)
    if piece is None:
        raise BlockingIOError("the file object has nothing to read yet, and does not wait")
    return b"".join(pieces)


def _refuse_text(mode: str) -> NoReturn:
    raise TypeError(f"the file object is one for text: open it in binary mode, open(path, {mode!r})")
