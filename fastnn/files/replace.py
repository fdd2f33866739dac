"""Putting a file into its place at once: there is the old one or the new one, whoever looks and whatever happens.

The bytes go into a new file in the folder of the target, with a name that nobody can guess and that must not exist yet
(O_EXCL: no link planted there is followed), onto the disk, and then into their place by `rename`.
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
NO_SYNC = {errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOTSUP}  # of folders that cannot be read, or file systems


def replace(path: Path, data: bytes) -> None:
    """Put `data` at `path` at once.

    A symbolic link stays one: what it points to is replaced. The new file has the permissions of the old one, and its
    owner and group where this process may give it away. What else hangs on the old file stays with that: other hard
    links to it, access control lists, extended attributes. Of two that save at once, the last one's file stays.

    Raises
    ------
    OSError
        If it cannot be written; what was at `path` is still there, and nothing else.
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
    """Of the file that is to be replaced; None if there is none, OSError if it is no file."""
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
    """Write a new file and rename it; False if its name was taken, or the file was, before it was locked."""
    temporary = os.path.join(folder, f"{start}{secrets.token_hex(8)}{SUFFIX}")
    # Until it has the permissions of the old file, nobody else may open it. All of this is one call into C: a signal
    # whose handler raises finds no descriptor, or an object that closes it.
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
    """Lock a new file, so that it is known to be in use; False if somebody took it for a leftover before that."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path, follow_symlinks=False))
    except (BlockingIOError, FileNotFoundError):
        return False
    except OSError:  # a file system without locks: there, leftovers stay
        return True


def _like(file: Any, old: os.stat_result) -> None:
    """Give a new file the owner, the group and the permissions of an old one, as far as this process may."""
    new = os.fstat(file.fileno())
    if new.st_uid != old.st_uid:
        with suppress(PermissionError):
            os.fchown(file.fileno(), old.st_uid, -1)
    if new.st_gid != old.st_gid:
        with suppress(PermissionError):
            os.fchown(file.fileno(), -1, old.st_gid)
    os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode) & 0o777)


def _sync(folder: str) -> None:
    """See to it that the new name, too, outlives a loss of power."""
    opened: list[int] = []
    # One call each: `opened` has the descriptor before a signal is looked at, and it is closed before one is.
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
    """Remove what those left behind who were killed while they wrote the same file: what nobody holds the lock of."""
    try:
        names = [name for name in os.listdir(folder) if name.startswith(start) and name.endswith(SUFFIX)]
    except OSError:  # a folder that can be written, but not read
        return
    for name in names:
        path = os.path.join(folder, name)
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                continue
            with open(path, "rb", opener=partial(os.open, mode=0), buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)
        except OSError:  # in use, or gone
            pass


def _unlink(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
