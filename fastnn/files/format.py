"""The format of all files: safetensors whose metadata hold a description in JSON, and a SHA-256 over everything.

Under the key "fastnn" stands {"sha256": ..., "content": {"kind": ..., "format": ..., ...}}. The hash is over the text
of the content and the names, dtypes, shapes and bytes of all tensors; the text must be the one that `write` would
write. So whatever byte of a file is changed, `read` says so.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
from typing import Any

import numpy as np

from .._validation import Array
from .._version import __version__

FORMAT = 1
READERS = {"model": "fastnn.load(path)", "checkpoint": "trainer.load_checkpoint(path)"}
MAX_HEADER = 16 << 20  # bytes; that of a network of a thousand layers has some 200 kB
DTYPES = {"F32", "F64", "F16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"}

Path = str | os.PathLike[str]


class FileFormatError(ValueError):
    """A file is not what it should be: truncated, changed, or another program's. The message says what is wrong."""


def write(path: Path, kind: str, tensors: dict[str, Array], description: dict[str, Any]) -> None:
    """Write a file as one of `kind`, atomically: `path` has the old content or the new, never a part.

    Raises
    ------
    OSError
        If it cannot be written; what was at `path` is still there.
    """
    from safetensors.numpy import save

    arrays = {name: np.asarray(array, array.dtype.newbyteorder("="), order="C") for name, array in tensors.items()}
    content = {"kind": kind, "format": FORMAT, "fastnn": __version__, **description}
    text = _dumps({"sha256": _digest(_dumps(content), arrays), "content": content})
    replace(path, save(arrays, metadata={"fastnn": text}))


def read(path: Path, kind: str) -> tuple[dict[str, Array], dict[str, Any]]:
    """The tensors and the description of a file that `write` made.

    Raises
    ------
    FileFormatError
        If the file is not whole, not unchanged, or not of `kind`.
    OSError
        If it cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    _check_header(path)
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            content, expected = _content(path, kind, file.metadata() or {})
            names = list(file.keys())
            for name in names:
                if (dtype := file.get_slice(name).get_dtype()) not in DTYPES:
                    raise FileFormatError(f"{path}: tensor {name!r} has dtype {dtype}, which fastnn never writes")
            tensors = {name: np.array(file.get_tensor(name)) for name in names}
    except SafetensorError as error:
        raise FileFormatError(f"{path} is truncated or damaged: {error}") from None
    if _digest(_dumps(content), tensors) != expected:
        raise FileFormatError(f"{path} is damaged: its SHA-256 is not that of its content")
    return tensors, content


def replace(path: Path, data: bytes) -> None:
    """Put `data` at `path` at once: into a file beside it, onto the disk, and then into its place."""
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.tmp")
    descriptor = _lock(temporary)
    try:
        os.ftruncate(descriptor, 0)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        os.fsync(descriptor)
        os.replace(temporary, target)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)  # the new name, too, outlives a loss of power
    finally:
        os.close(directory)


def _lock(path: str) -> int:
    """A descriptor of the file at `path`, made if need be, that no other writer has.

    One name for all: what a writer who was killed left there, the next one uses. The lock ends with its owner.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.path.exists(path) and os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # who had it before us put it into its place


def _check_header(path: Path) -> None:
    """Raise FileFormatError unless the file begins as safetensors files do; reads no more than the header."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise FileFormatError(f"{path} is {'a folder' if stat.S_ISDIR(status.st_mode) else 'no regular file'}")
    with open(path, "rb") as file:
        start = file.read(9)
        size = int.from_bytes(start[:8], "little")
        if not start:
            raise FileFormatError(f"{path} is empty")
        if len(start) < 9 or start[8:] != b"{":
            raise FileFormatError(f"{path} is no safetensors file: it begins with {start!r}")
        if size > MAX_HEADER:
            raise FileFormatError(f"{path} is damaged: a header of {size} bytes")
        if size > status.st_size - 8:
            raise FileFormatError(f"{path} is truncated: a header of {size} bytes in a file of {status.st_size}")
        file.seek(8)
        if not file.read(size).rstrip(b" ").endswith(b"}"):
            raise FileFormatError(f"{path} is damaged: its header does not end as JSON does")


def _content(path: Path, kind: str, metadata: dict[str, str]) -> tuple[dict[str, Any], str]:
    """The content of the metadata, and the SHA-256 that goes with it."""
    if set(metadata) != {"fastnn"}:
        raise FileFormatError(
            f"{path} is a safetensors file, but not one of fastnn's: its tensors alone can be had by "
            "net.load_state_dict(safetensors.numpy.load_file(path))"
        )
    try:
        parsed = json.loads(metadata["fastnn"], parse_constant=_no_constant)
        content, expected = parsed["content"], parsed["sha256"]
        canonical = _dumps(parsed) == metadata["fastnn"] and isinstance(content, dict)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FileFormatError(f"{path} is damaged: its description cannot be read ({error!r:.80})") from None
    if not canonical or set(parsed) != {"content", "sha256"}:
        raise FileFormatError(f"{path} is damaged: its description is not as fastnn writes it")
    if content.get("format") != FORMAT:
        made = f"written by fastnn {content.get('fastnn')!r:.20}"
        raise FileFormatError(f"{path} has format {content.get('format')!r:.20}, {made}; this one reads {FORMAT}")
    if content.get("kind") != kind:
        hint = READERS.get(str(content.get("kind")), "another version of fastnn")
        raise FileFormatError(f"{path} is a {content.get('kind')!r:.20}, not a {kind!r}: read it by {hint}")
    return content, expected


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
