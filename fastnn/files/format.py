"""The format of all files: safetensors, whose metadata hold a description in JSON and a SHA-256 of everything.

The metadata have one key, "fastnn", with the JSON text {"sha256": ..., "content": {"kind": ..., "format": ..., ...}}.
The hash is of the text of the content and of the names, dtypes, shapes and bytes of all tensors; the text must be
exactly what `write` writes. So a change of any byte of a file is detected by `read`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from .._validation import Array
from .._version import __version__
from .objects import Source, Target, contents, label, put
from .replace import Path, replace

FORMAT = 1
READERS = {
    "model": "fastnn.load(path)",
    "checkpoint": "trainer.load_checkpoint(path)",
    "estimator": "fastnn.sklearn.load(path)",
}
MAX_HEADER = 16 << 20  # bytes; a network of a thousand layers takes about 200 kB
MAX_DEPTH = 200  # levels of nesting in the description, about fifty networks within each other
LACKING = "[digital envelope routines]", "can't allocate"  # how messages for lack of memory begin
DTYPES = {
    "F64": "f8", "F32": "f4", "F16": "f2", "I64": "i8", "I32": "i4", "I16": "i2", "I8": "i1",
    "U64": "u8", "U32": "u4", "U16": "u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip


class FileFormatError(ValueError):
    """A file is truncated, damaged, of another kind, or from another program. The message says what is wrong.

    Examples
    --------
    >>> import fastnn, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "net.safetensors")
    ...     size = path.write_bytes(b"something else")
    ...     try:
    ...         net = fastnn.load(path)
    ...     except fastnn.FileFormatError as error:
    ...         print(str(error).removeprefix(str(path)))
     is no safetensors file: it begins with b'something'
    """


@contextmanager
def _memory_errors() -> Iterator[None]:
    """Raise MemoryError instead of the errors of OpenSSL, Python's files and the Rust code of safetensors for lack of
    memory.
    """
    try:
        yield
    except BaseException as error:
        lacking = type(error).__name__ == "PanicException" or str(error).startswith(LACKING)
        if lacking:
            raise MemoryError("no memory to read or write a file") from error
        raise


@_memory_errors()
def write(target: Target, kind: str, tensors: dict[str, Array], description: dict[str, Any]) -> None:
    """Write a file of a kind, atomically: at a path is the old content or the new one, never a part.

    Parameters
    ----------
    target : str, path-like or binary file object
        A file object is written where it is, not atomically, and stays open.
    kind : {"model", "checkpoint", "estimator"}
    tensors : dict of str to ndarray
        Of the dtypes in `DTYPES`; bytes that are swapped are written in native order. NaN keeps its bits.
    description : dict
        What goes into the content beside "kind", "format" and "fastnn" (the version): JSON without NaN and infinity.

    Raises
    ------
    ValueError
        If `read` would refuse the file: a description over 16 MiB, or nested deeper than 200 levels.
    OSError
        If it cannot be written; the old file is then still there.
    MemoryError
        If there is not enough memory.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from fastnn.files.format import read, write
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "file.safetensors")
    ...     write(path, "model", {"a": np.array([1.0, np.nan])}, {"note": "two numbers"})
    ...     tensors, content = read(path, "model")
    >>> tensors["a"].tolist(), content["kind"], content["note"]
    ([1.0, nan], 'model', 'two numbers')
    """
    from safetensors.numpy import save

    path = label(target)
    arrays = {name: np.asarray(array, array.dtype.newbyteorder("="), order="C") for name, array in tensors.items()}
    content = {"kind": kind, "format": FORMAT, "fastnn": __version__, **description}
    if _depth(content) > MAX_DEPTH:
        raise ValueError(f"{path} cannot be written: its description is nested deeper than {MAX_DEPTH} levels")
    text = _dumps({"sha256": _digest(_dumps(content), arrays), "content": content})
    data = save(arrays, metadata={"fastnn": text})
    if (size := int.from_bytes(data[:8], "little")) > MAX_HEADER:
        raise ValueError(
            f"{path} cannot be written: what describes its {len(arrays)} arrays takes {size} bytes, of at most "
            f"{MAX_HEADER}: keep many numbers in arrays, not in lists"
        )
    if isinstance(target, (str, bytes, os.PathLike)):
        replace(target, data)
    else:
        put(target, data)


@_memory_errors()
def read(source: Source, kind: str) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read the tensors and the content of a file that `write` made.

    Parameters
    ----------
    source : str, path-like, binary file object or bytes
        A file object is read from where it is to its end.
    kind : {"model", "checkpoint", "estimator"}
        The kind that the file must be of.

    Returns
    -------
    tensors : dict of str to ndarray
        New arrays, with the bits that were written, in the order of the file.
    content : dict
        The description, with "kind", "format" and "fastnn".

    Raises
    ------
    FileFormatError
        If the file is truncated, damaged, not a regular file, or not of this kind and format.
    TypeError
        If `source` is something else, or a file object for text.
    OSError
        If it cannot be read.
    MemoryError
        If there is not enough memory.
    """
    path = label(source)
    with _opened(source) as (file, length):
        start = file.read(9)
        file.seek(0)
        if start[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05") and start[8:] != b"{":
            raise FileFormatError(
                f"{path} is no safetensors file but an archive or a pickle, as torch.save writes: read it with "
                'torch.load and give its state dict to net.load_state_dict(state, layout="torch")'
            )
        header = _header(path, file, length)
        content, expected = _content(path, kind, header.pop("__metadata__", None) or {})
        entries = sorted(header.items(), key=lambda item: tuple(item[1]["data_offsets"]))
        tensors = {name: _tensor(path, name, entry, file) for name, entry in entries}
        if file.tell() != length:
            raise FileFormatError(
                f"{path} is truncated or damaged: {length} bytes, of which {file.tell()} are described"
            )
    if _digest(_dumps(content), tensors) != expected:
        raise FileFormatError(f"{path} is damaged: its SHA-256 is not that of its content")
    return tensors, content


@contextmanager
def _opened(source: Source) -> Iterator[tuple[BinaryIO, int]]:
    """A file to read, at its beginning, and the number of its bytes."""
    if not isinstance(source, (str, os.PathLike)):
        data = memoryview(contents(source))
        with io.BytesIO(data) as file:
            yield file, data.nbytes
        return
    status = os.stat(source)
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for a writer
        raise FileFormatError(f"{source} is {'a folder' if stat.S_ISDIR(status.st_mode) else 'no regular file'}")
    with open(source, "rb") as file:
        yield file, os.fstat(file.fileno()).st_size


def _header(path: Path, file: BinaryIO, length: int) -> dict[str, Any]:
    """The header of a file of `length` bytes: its tensors and metadata. Only the header is read."""
    start = file.read(9)
    size = int.from_bytes(start[:8], "little")
    if not start:
        raise FileFormatError(f"{path} is empty")
    if len(start) < 9 or start[8:] != b"{":
        raise FileFormatError(f"{path} is no safetensors file: it begins with {start!r}")
    if size > MAX_HEADER:
        raise FileFormatError(f"{path} is damaged: a header of {size} bytes")
    if size > length - 8:
        raise FileFormatError(f"{path} is truncated: a header of {size} bytes in a file of {length}")
    text = b"{" + file.read(size - 1) if size else b""
    if len(text) < size:
        raise FileFormatError(f"{path} is truncated: it was cut off while it was read")
    if not text.rstrip(b" ").endswith(b"}"):
        raise FileFormatError(f"{path} is damaged: its header does not end as JSON does")
    problem = _header_problem(text)
    if problem not in ("", _header_problem(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}')):
        raise FileFormatError(f"{path} is truncated or damaged: {problem}")
    header: dict[str, Any] = json.loads(text)
    if length - 8 - size != max(
        (e["data_offsets"][1] for name, e in header.items() if name != "__metadata__"), default=0
    ):
        raise FileFormatError(f"{path} is truncated or damaged: its header is not of a file of {length} bytes")
    return header


def _header_problem(text: bytes) -> str:
    """The error of safetensors for a header without data, as text; "" if there is none.

    The data are read here and not by safetensors, which ends the process if memory is short, or if a mapped file is
    truncated while it is read.
    """
    from safetensors import SafetensorError, deserialize

    try:
        deserialize(len(text).to_bytes(8, "little") + text)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        return str(error)
    return ""


def _tensor(path: Path, name: str, entry: dict[str, Any], file: BinaryIO) -> Array:
    """Read the next tensor of a file; its place and size have been checked."""
    if entry["dtype"] not in DTYPES:
        raise FileFormatError(f"{path}: tensor {name!r:.60} has dtype {entry['dtype']}, which fastnn never writes")
    try:
        array = np.empty(entry["shape"], DTYPES[entry["dtype"]])
    except ValueError as error:  # too many axes, or one too long
        raise FileFormatError(f"{path}: tensor {name!r:.60} has shape {entry['shape']!r:.60}: {error}") from None
    raw = array.reshape(-1).view("uint8")
    if raw.size and file.readinto(raw.data) < raw.size:  # type: ignore[attr-defined]
        raise FileFormatError(f"{path} is truncated: it was cut off while it was read")
    if array.dtype == "bool" and (raw > 1).any():
        raise FileFormatError(f"{path}: tensor {name!r:.60} has truth values that are neither 0 nor 1")
    return array


def _content(path: Path, kind: str, metadata: dict[str, str]) -> tuple[dict[str, Any], str]:
    """The content in the metadata, checked, and the SHA-256 that the file states for it."""
    if set(metadata) != {"fastnn"}:
        raise FileFormatError(
            f"{path} is a safetensors file, but not one of fastnn's: its tensors alone can be had by "
            "net.load_state_dict(safetensors.numpy.load_file(path))"
        )
    try:
        parsed = json.loads(metadata["fastnn"], parse_constant=_no_constant)
        content, expected = parsed["content"], parsed["sha256"]
        canonical = _dumps(parsed) == metadata["fastnn"] and isinstance(content, dict) and isinstance(expected, str)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FileFormatError(f"{path} is damaged: its description cannot be read ({error!r:.80})") from None
    if not canonical or set(parsed) != {"content", "sha256"}:
        raise FileFormatError(f"{path} is damaged: its description is not as fastnn writes it")
    if _depth(content) > MAX_DEPTH:
        raise FileFormatError(f"{path} is damaged: its description is nested deeper than {MAX_DEPTH} levels")
    if content.get("format") != FORMAT:
        made = f"written by fastnn {content.get('fastnn')!r:.20}"
        raise FileFormatError(f"{path} has format {content.get('format')!r:.20}, {made}; this one reads {FORMAT}")
    if content.get("kind") != kind:
        hint = READERS.get(str(content.get("kind")), "another version of fastnn")
        raise FileFormatError(f"{path} is a {content.get('kind')!r:.20}, not a {kind!r}: read it by {hint}")
    return content, expected


def _depth(value: Any) -> int:
    """The number of lists and dicts nested in each other."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, (list, tuple, dict))]:
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _dumps(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _digest(text: str, tensors: dict[str, Array]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(array.reshape(-1).view("uint8").data)
    return digest.hexdigest()
