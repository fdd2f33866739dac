"""Networks and checkpoints in file objects and in bytes."""

import gzip
import io
import os
import tempfile
import zipfile
from functools import partial

import numpy as np
import pytest

import fastnn
from fastnn import nn
from support.resumable import bits, data, make_trainer


def network():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2), seed=0)


def same(net, twin):
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(twin.state_dict()[name], array)


@pytest.mark.parametrize(
    "kind", ["bytes", "bytearray", "memoryview", "BytesIO", "file", "raw", "temporary", "gzip", "zip"]
)
def test_a_network_in_memory_is_the_one_of_a_file(kind, path):
    net = network()
    net.save(path)
    content = path.read_bytes()
    if kind in ("bytes", "bytearray", "memoryview"):
        same(net, fastnn.load({"bytes": bytes, "bytearray": bytearray, "memoryview": memoryview}[kind](content)))
        return
    other = path.with_name("other")
    if kind == "zip":
        with zipfile.ZipFile(other, "w") as archive, archive.open("net", "w") as file:
            net.save(file)
        with zipfile.ZipFile(other) as archive, archive.open("net") as file:
            same(net, fastnn.load(file))
        return
    open_one = {
        "BytesIO": lambda mode: memory,
        "temporary": lambda mode: memory,
        "file": partial(open, other),
        "raw": partial(open, other, buffering=0),
        "gzip": partial(gzip.open, other),
    }[kind]
    memory = tempfile.NamedTemporaryFile() if kind == "temporary" else io.BytesIO()  # noqa: SIM115
    file = open_one(mode="wb")
    net.save(file)
    assert not file.closed
    file.seek(0) if file is memory else file.close()
    with open_one(mode="rb") as file:
        same(net, fastnn.load(file))
        assert not file.closed
    if kind in ("file", "raw"):
        assert other.read_bytes() == content


def test_a_file_object_is_written_and_read_where_it_is():
    file = io.BytesIO(b"before")
    file.seek(6)
    net = network()
    net.save(file)
    assert file.getvalue().startswith(b"before") and file.tell() == len(file.getvalue())
    file.seek(6)
    same(net, fastnn.load(file))
    assert file.read() == b""


def test_a_checkpoint_in_memory(dtype):
    x, y, _ = data(dtype)
    whole, trainer, twin = make_trainer(dtype), make_trainer(dtype), make_trainer(dtype)
    file, saved = io.BytesIO(), []

    class Keep(fastnn.Callback):
        in_checkpoints = False

        def on_epoch_end(self, run):
            if run.epoch == 2:
                run.trainer.save_checkpoint(file)
                saved.append(bits(run.trainer))

    whole.fit(x, y, epochs=5)
    trainer.fit(x, y, epochs=3, callbacks=[Keep()])
    for content in (file.getvalue(), io.BytesIO(file.getvalue())):
        twin.load_checkpoint(content)
        assert bits(twin)[0] == saved[0][0]
    twin.fit(x, y, epochs=5, resume=True)
    assert bits(twin) == bits(whole)


class Slow(io.RawIOBase):
    """Writes and reads a few bytes at a time, as a pipe does."""

    def __init__(self, content=b""):
        self.content = bytearray(content)

    def writable(self):
        return True

    def readable(self):
        return True

    def write(self, piece):
        self.content += bytes(piece[:100])
        return min(100, len(piece))

    def readinto(self, buffer):
        n = min(100, len(buffer), len(self.content))
        buffer[:n] = self.content[:n]
        del self.content[:n]
        return n


class Full(io.RawIOBase):
    def writable(self):
        return True

    def readable(self):
        return True

    def write(self, piece):
        return None

    def readinto(self, buffer):
        return None


class Sink:
    """Returns nothing, as writers of users may."""

    def __init__(self):
        self.content = b""

    def write(self, piece):
        self.content += piece


def test_file_objects_that_take_their_time():
    net, slow, sink = network(), Slow(), Sink()
    net.save(slow)
    net.save(sink)
    assert bytes(slow.content) == sink.content
    same(net, fastnn.load(slow))
    with pytest.raises(BlockingIOError, match="not ready to be written"):
        net.save(Full())
    with pytest.raises(BlockingIOError, match="nothing to read yet"):
        fastnn.load(Full())


def test_a_pipe():
    net = network()
    reading, writing = os.pipe()
    with open(reading, "rb") as source, open(writing, "wb") as target:
        net.save(target)
        target.close()
        same(net, fastnn.load(source))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda net: net.save(io.StringIO()), TypeError, r"one for text: open it in binary mode, open\(path, 'wb'\)"),
        (lambda net: fastnn.load(io.StringIO("a")), TypeError, r"for text: open it in binary mode, open\(path, 'rb'\)"),
        (lambda net: net.save(3), TypeError, "path must be a str, a path or a binary file object, got int"),
        (lambda net: fastnn.load(None), TypeError, "path must be a str, a path or a binary file object, or bytes"),
        (lambda net: fastnn.load(b""), fastnn.FileFormatError, "the data is empty"),
        (lambda net: fastnn.load(io.BytesIO()), fastnn.FileFormatError, "the file is empty"),
        (lambda net: fastnn.load(b"something else"), fastnn.FileFormatError, "the data is no safetensors file"),
        (lambda net: fastnn.load(bytes_of(net)[:-1]), fastnn.FileFormatError, "the data is truncated or damaged"),
        (lambda net: fastnn.load(bytes_of(net) + b"a"), fastnn.FileFormatError, "the data is truncated or damaged"),
        (lambda net: make_trainer().load_checkpoint(bytes_of(net)), fastnn.FileFormatError, "not a 'checkpoint'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call(network())


def bytes_of(net):
    file = io.BytesIO()
    net.save(file)
    return file.getvalue()
