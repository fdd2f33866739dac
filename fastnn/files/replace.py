"""Replacing a file atomically: at any time, whatever happens, there is the whole old file or the whole new one.

The bytes are written to a new file in the folder of the target, synchronized to the disk, and renamed to the target.
The new file has a random name and is opened with O_EXCL, so that a link of that name is not followed.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import stat
from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any

Path = str | os.PathLike[str]

PREFIX, SUFFIX = ".fastnn-", ".tmp"
NO_SYNC = {errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOTSUP}  # from fsync of some folders and file systems


def replace(path: Path, data: bytes) -> None:
    """Replace the file at `path` by one with these bytes, atomically.

    Parameters
    ----------
    path : str or path-like
    data : bytes

    Raises
    ------
    OSError
        If it cannot be written: the old file is then still there, and no other.

    Notes
    -----
    Of a symbolic link, the file that it points to is replaced. The new file has the permissions of the old one, and its
    owner and group where this process is allowed to set them. Other hard links, access control lists and extended
    attributes stay with the old file. If two processes save at the same time, the file of the last one remains.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from fastnn.files.replace import replace
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "file")
    ...     replace(path, b"old")
    ...     replace(path, b"new")
    ...     print(path.read_bytes(), len(list(path.parent.iterdir())))
    b'new' 1
    """
    target = os.path.realpath(os.fsdecode(path))
    folder, name = os.path.split(target)
    old = _status(target)
    start = f"{PREFIX}{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}-"
    while not _put(folder, start, data, target, old):
        pass
    _sync(folder)
    _remove_leftovers(folder, start)


def _status(target: str) -> os.stat_result | None:
    """The status of the file to be replaced; None if there is none, OSError if it is not a regular file."""
    try:
        old = os.stat(target)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), target)
    if not stat.S_ISREG(old.st_mode):
        raise OSError(errno.EINVAL, "Only a regular file can be replaced", target)
    return old


def _put(folder: str, start: str, data: bytes, target: str, old: os.stat_result | None) -> bool:
    """Write a new file and rename it; False if its name existed, or another process removed it before it was locked."""
    temporary = os.path.join(folder, f"{start}{secrets.token_hex(8)}{SUFFIX}")
    # Until it has the permissions of the old file, no other user may open it. `open` is one call into C: if a signal
    # handler raises, there is either no descriptor yet, or an object that closes it.
    opener = partial(os.open, mode=0o666 if old is None else 0o600)
    try:
        with open(temporary, "xb", opener=opener) as file:
            if not _lock(file, temporary):
                _unlink(temporary)
                return False
            file.write(data)
            file.flush()
            if old is not None:
                _like(file, old)
            os.fsync(file.fileno())
            os.replace(temporary, target)
    except FileExistsError as error:
        if error.filename2 is None:  # by `open`
            return False
        _unlink(temporary)
        raise
    except BaseException:
        _unlink(temporary)
        raise
    return True


def _lock(file: Any, path: str) -> bool:
    """Lock a new file, which marks it as in use; False if another process removed it as a leftover before that."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path, follow_symlinks=False))
    except (BlockingIOError, FileNotFoundError):
        return False
    except OSError:  # a file system without locks: leftovers are not removed there
        return True


def _like(file: Any, old: os.stat_result) -> None:
    """Give a new file the owner, the group and the permissions of an old one, as far as this process is allowed to."""
    new = os.fstat(file.fileno())
    if new.st_uid != old.st_uid:
        with suppress(PermissionError):
            os.fchown(file.fileno(), old.st_uid, -1)
    if new.st_gid != old.st_gid:
        with suppress(PermissionError):
            os.fchown(file.fileno(), -1, old.st_gid)
    os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode) & 0o777)


def _sync(folder: str) -> None:
    """Synchronize a folder, so that the new name also survives a loss of power."""
    opened: list[int] = []
    # `extend` and `deque` are one call into C each, so that no signal handler can raise between opening the
    # descriptor and storing it, or before it is closed.
    closing = map(os.close, opened)
    try:
        opened.extend(map(os.open, [folder], [os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC]))
        os.fsync(opened[0])
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise
    finally:
        deque(closing, 0)


def _remove_leftovers(folder: str, start: str) -> None:
    """Remove what killed processes left behind when they wrote the same target: the files that are not locked."""
    try:
        names = [name for name in os.listdir(folder) if name.startswith(start) and name.endswith(SUFFIX)]
    except OSError:  # the folder can be written but not read
        return
    for name in names:
        path = os.path.join(folder, name)
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                continue
            with open(path, "rb", opener=partial(os.open, mode=0), buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)
        except OSError:  # in use, or removed already
            pass


def _unlink(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
