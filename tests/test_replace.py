"""Putting files into their place: no link is followed, nothing is left behind, nothing hangs."""

import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest

from fastnn.files import format as files
from fastnn.files import replace as module
from fastnn.files.replace import replace


def temporary(path):
    """The name of a new file for `path`, as far as it can be guessed."""
    names = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", lambda a, b: names.append(a))
        replace(path, b"")
    return names[0]


@pytest.mark.parametrize("plant", [os.symlink, os.link])
def test_links_planted_in_the_folder_are_not_followed(plant, path, monkeypatch):
    """Neither at the name that used to be taken nor at one that somebody guessed."""
    guessed, victim = temporary(path), path.parent / "victim"
    victim.write_bytes(b"precious")
    plant(victim, path.parent / ".file.tmp")
    plant(victim, guessed)
    drawn = iter([guessed[-20:-4], "0123456789abcdef"])
    monkeypatch.setattr(module.secrets, "token_hex", lambda n: next(drawn))
    replace(path, b"new")
    assert (path.read_bytes(), victim.read_bytes()) == (b"new", b"precious")
    assert list(drawn) == []


def test_names_cannot_be_guessed(path):
    assert temporary(path) != temporary(path)


def test_permissions_and_links_stay(path):
    path.write_bytes(b"old")
    twin = path.parent / "twin"
    os.link(path, twin)
    for mode in (0o600, 0o640, 0o666, 0o400):
        path.chmod(mode)
        replace(path, b"new")
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert twin.read_bytes() == b"old"  # a hard link keeps the old file
    link, inner = path.parent / "link", path.parent / "inner"
    inner.symlink_to(path)
    link.symlink_to(inner)
    replace(link, b"newer")
    assert (link.is_symlink(), inner.is_symlink(), path.read_bytes()) == (True, True, b"newer")


def test_a_new_file_has_the_permissions_of_the_umask(path):
    before = os.umask(0o027)
    try:
        replace(path, b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_nobody_else_can_open_the_new_file_of_a_private_one(path, monkeypatch):
    path.write_bytes(b"old")
    path.chmod(0o600)
    modes, fsync = [], os.fsync
    monkeypatch.setattr(module, "_lock", lambda file, path: modes.append(os.fstat(file.fileno()).st_mode & 0o777) or 1)
    monkeypatch.setattr(os, "fsync", lambda fd: modes.append(os.fstat(fd).st_mode & 0o077) or fsync(fd))
    replace(path, b"new")
    assert modes[:2] == [0o600, 0]


@pytest.mark.skipif("os.geteuid() != 0", reason="only root can give files away")
def test_the_owner_stays(path):
    path.write_bytes(b"old")
    os.chown(path, 12, 34)
    replace(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12, 34)


def test_an_owner_that_cannot_be_kept_is_no_error(path, monkeypatch):
    path.write_bytes(b"old")
    status = os.stat(path)
    other = os.stat_result((status.st_mode, *status[1:4], status.st_uid + 1, status.st_gid + 1, *status[6:]))
    monkeypatch.setattr(module, "_status", lambda target: other)
    monkeypatch.setattr(os, "fchown", lambda *args: (_ for _ in ()).throw(PermissionError()))
    replace(path, b"new")
    assert path.read_bytes() == b"new"


def test_long_names_and_names_of_bytes(path):
    for name in ("x" * 255, "ä" * 127, b"\xff\xfe", ".tmp"):
        target = os.path.join(os.fsencode(path.parent), os.fsencode(name))
        replace(target, b"new")
        with open(target, "rb") as file:
            assert file.read() == b"new"
    assert len(os.listdir(path.parent)) == 4


def test_what_is_no_regular_file_stays(path):
    os.mkfifo(path)
    with pytest.raises(OSError, match="Only a regular file can be replaced"):
        replace(path, b"new")
    with pytest.raises(OSError, match="Only a regular file can be replaced"):
        replace("/dev/null", b"new")
    with pytest.raises(IsADirectoryError):
        replace(path.parent, b"new")
    assert stat.S_ISFIFO(path.stat().st_mode) and os.listdir(path.parent) == [path.name]
    loop = path.parent / "loop"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="symbolic links"):
        replace(loop, b"new")


def test_a_folder_that_cannot_be_read(path, monkeypatch):
    """It can be written to and searched: that is enough. Root may all, so the errors are played here as well."""
    folder = path.parent / "folder"
    folder.mkdir()
    folder.chmod(0o300)
    real = os.open

    def no_reading(name, flags, *rest, **more):
        if flags & os.O_DIRECTORY:
            raise PermissionError(13, "Permission denied", name)
        return real(name, flags, *rest, **more)

    for _ in range(2):
        replace(folder / "file", b"new")
        monkeypatch.setattr(os, "open", no_reading)
        monkeypatch.setattr(os, "listdir", lambda name: (_ for _ in ()).throw(PermissionError(13, "no")))
    folder.chmod(0o700)
    assert (folder / "file").read_bytes() == b"new"


# What was interrupted


def descriptors():
    return set(os.listdir("/proc/self/fd"))


INTERRUPTED = """
import os, signal, sys
from fastnn.files.replace import replace

def interrupt(number, frame):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
seed = 1
done = interrupts = 0
while interrupts < 500:
    seed = seed * 16807 % 2147483647
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-6 + seed % 400 * 1e-6)
        for _ in range(100):
            replace(sys.argv[1], b"x" * 1000)
    except KeyboardInterrupt:
        interrupts += 1
    finally:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            pass
replace(sys.argv[1], b"end")
print(sorted(os.listdir("/proc/self/fd")), os.listdir(os.path.dirname(sys.argv[1])))
"""


def test_interrupts_leave_no_descriptors_and_no_files(path):
    command = [sys.executable, "-W", "ignore::ResourceWarning", "-c", INTERRUPTED, str(path)]
    out = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert out.strip() == "['0', '1', '2', '3'] ['file']"  # the last is that of the listing itself


def test_a_save_within_a_save_does_not_hang(path, monkeypatch):
    """A signal handler saves while a save goes on, wherever that is."""
    for moment in ("open", "flock", "fsync", "replace", "close"):
        calls = []
        owner = module.fcntl if moment == "flock" else os
        real = getattr(owner, moment)

        def inner(*args, calls=calls, real=real, **more):
            result = real(*args, **more)
            if not calls:
                calls.append(1)
                signal.raise_signal(signal.SIGUSR1)
            return result

        before = signal.signal(signal.SIGUSR1, lambda *_: replace(path, b"inner"))
        with monkeypatch.context() as patch:
            patch.setattr(owner, moment, inner)
            replace(path, b"outer")
        signal.signal(signal.SIGUSR1, before)
        assert calls and path.read_bytes() in (b"outer", b"inner")
        assert os.listdir(path.parent) == [path.name]


def test_leftovers_of_the_same_file_are_removed_and_others_stay(path):
    """Of this file, whose writer is gone; not what is in use, no link, and nothing of other names."""
    ours = temporary(path)
    start = ours[: -len("0123456789abcdef.tmp")]
    dead, used, link = (f"{start}{word}.tmp" for word in ("dead", "used", "link"))
    victim, other = path.parent / "victim", temporary(path.parent / "other")
    for name in (dead, used, victim, other):
        with open(name, "wb"):
            pass
    os.symlink(victim, link)
    with open(used) as file:
        module.fcntl.flock(file, module.fcntl.LOCK_EX)
        replace(path, b"new")
    names = {os.path.basename(name) for name in (used, link, victim, other, path)}
    assert set(os.listdir(path.parent)) == names


def _save(path, i):
    for _ in range(100):
        replace(path, bytes([i]) * 10**4)


def test_threads_and_processes_save_one_file_at_a_time(path):
    """Nobody finds that what he wrote is gone (FileNotFoundError), and what is there is always whole."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        waiting = pool.starmap_async(_save, [(path, 1), (path, 2)])
        threads = [threading.Thread(target=_save, args=(path, i)) for i in (3, 4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            if path.exists():
                content = path.read_bytes()
                assert len(content) == 10**4 and len(set(content)) == 1
        waiting.get()
    assert os.listdir(path.parent) == [path.name]


# Reading


def test_a_file_that_is_cut_off_while_it_is_read_is_an_error(path, monkeypatch):
    """It is read, not mapped: there is no SIGBUS."""
    files.write(path, "checkpoint", {"a": np.zeros(10**6)}, {})
    real, length = os.fstat, os.path.getsize(path)
    for left in (length // 2, 100, 8, 0):

        def then_cut(descriptor, left=left):
            status = real(descriptor)
            os.truncate(path, left)
            return status

        files.write(path, "checkpoint", {"a": np.zeros(10**6)}, {})
        with monkeypatch.context() as patch:
            patch.setattr(os, "fstat", then_cut)
            with pytest.raises(files.FileFormatError, match=r"is truncated: it was cut off|is no safetensors|is empty"):
                files.read(path, "checkpoint")
