"""The format of files: any byte changed or missing is noticed, foreign files are named, no writer leaves a ruin."""

import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastnn
from fastnn import nn
from fastnn.files import format as files
from fastnn.testing.measure import assert_same_bits


def header(content, data=b""):
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(**changes):
    return {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | changes}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A small file of a model and a place to spoil copies of it."""
    folder = tmp_path_factory.mktemp("model")
    nn.Sequential(nn.Linear(2, 1), nn.LeakyReLU(1e-7), seed=0).save(folder / "good")
    return (folder / "good").read_bytes(), folder / "bad"


def refused(path, content):
    """The message by which a file of this content is refused."""
    path.write_bytes(content)
    with pytest.raises(fastnn.FileFormatError) as caught:
        fastnn.load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_any_byte_of_the_file_counts(model):
    """Each is changed by one bit, and to something that JSON might forgive."""
    good, bad = model
    assert len(good) < 1500
    for i, byte in enumerate(good):
        for other in {byte ^ 1 << i % 8, (byte ^ 0x20, 0x0A, 0x20)[i % 3]} - {byte}:
            refused(bad, good[:i] + bytes([other]) + good[i + 1 :])


def test_no_beginning_of_the_file_will_do(model):
    good, bad = model
    for i in range(len(good)):
        refused(bad, good[:i])
    refused(bad, good + b"\0")
    bad.write_bytes(good)
    assert len(fastnn.load(bad)) == 2


@given(data=st.data())
def test_random_damage_is_noticed(data, model):
    good, bad = model
    start = data.draw(st.integers(0, len(good) - 1))
    piece = data.draw(st.binary(max_size=20))
    stop = data.draw(st.integers(start, len(good)))
    spoiled = good[:start] + piece + good[stop:]
    if spoiled != good:
        refused(bad, spoiled)


FOREIGN = {
    "empty": (b"", "is empty"),
    "short": (b"\x10\0\0", "is no safetensors file: it begins with"),
    "png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 99, "is no safetensors file: it begins with b'.x89PNG"),
    "pickle": (b"\x80\x04\x95" + b"x" * 90, "is no safetensors file"),
    "length": (struct.pack("<Q", 2**63) + b"{}", "is damaged: a header of 9223372036854775808 bytes"),
    "longer": (struct.pack("<Q", 10**6) + b"{}", "is truncated: a header of 1000000 bytes in a file of 10"),
    "json": (header(b"{]    "), "does not end as JSON does"),
    "deep": (header(b'{"a":' * 10**5 + b"}" * 10**5), "is truncated or damaged"),
    "deep lists": (header(b'{"a":' + b"[" * 10**6 + b"}"), "is truncated or damaged"),
    "many keys": (header(b"{" + b'"a":1,' * 10**6 + b'"a":1}'), "is truncated or damaged"),
    "absurd shape": (header(tensor(shape=[2**40, 2**40]), b"0000"), "is truncated or damaged"),
    "hole": (header(tensor(data_offsets=[4, 8]), b"00000000"), "is truncated or damaged"),
    "negative": (header(tensor(shape=[-1]), b"0000"), "is truncated or damaged"),
    "someone's": (header(tensor(), b"0000"), "is a safetensors file, but not one of fastnn's"),
    "someone's metadata": (header({"__metadata__": {"format": "pt"}} | tensor(), b"0000"), "not one of fastnn's"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files_are_named(name, path):
    content, message = FOREIGN[name]
    assert message.replace(".x89", "\\x89") in refused(path, content)


def described(text, **changes):
    return header({"__metadata__": {"fastnn": text}} | tensor(**changes), b"0000")


DESCRIPTIONS = {
    "not json": ("{", "its description cannot be read"),
    "nan": ('{"content":{"a":NaN},"sha256":""}', "its description cannot be read (ValueError('NaN is not JSON')"),
    "infinity": ('{"content":{"a":-Infinity},"sha256":""}', "cannot be read (ValueError('-Infinity is not JSON')"),
    "huge number": ('{"content":{"a":1e999},"sha256":""}', "is damaged"),
    "long number": ('{"content":' + "1" * 10**5 + ',"sha256":""}', "its description cannot be read"),
    "deep": ('{"content":' + "[" * 10**5, "its description cannot be read (RecursionError"),
    "list": ("[]", "its description cannot be read"),
    "no hash": ('{"content":{}}', "its description cannot be read (KeyError('sha256'))"),
    "more": ('{"content":{},"sha256":"","x":1}', "not as fastnn writes it"),
    "content": ('{"content":[],"sha256":""}', "not as fastnn writes it"),
    "spaces": ('{"content":{}, "sha256":""}', "not as fastnn writes it"),
    "twice": ('{"content":{"kind":"a","kind":"model"},"sha256":""}', "not as fastnn writes it"),
    "version": ('{"content":{"format":2,"fastnn":"9.0"},"sha256":""}', "has format 2, written by fastnn '9.0'; this"),
    "no version": ('{"content":{},"sha256":""}', "has format None"),
    "kind": ('{"content":{"format":1,"kind":"song"},"sha256":""}', "is a 'song', not a 'model'"),
    "hash": ('{"content":{"format":1,"kind":"model"},"sha256":"00"}', "its SHA-256 is not that of its content"),
}


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_descriptions_that_fastnn_never_wrote(name, path):
    text, message = DESCRIPTIONS[name]
    assert message in refused(path, described(text))


def test_dtypes_that_numpy_lacks_are_refused(path):
    text = '{"content":{"format":1,"kind":"model"},"sha256":"00"}'
    for dtype, shape in (("BF16", [2]), ("F8_E5M2", [4])):
        message = refused(path, described(text, dtype=dtype, shape=shape))
        assert f"tensor 'a' has dtype {dtype}, which fastnn never writes" in message


def test_what_is_no_file_is_not_read(tmp_path):
    with pytest.raises(fastnn.FileFormatError, match="is a folder"):
        fastnn.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        fastnn.load(tmp_path / "nothing")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(fastnn.FileFormatError, match="is no regular file"):
        fastnn.load(tmp_path / "pipe")


def test_bad_files_cost_neither_time_nor_memory(path):
    """A second at most for each; and memory in proportion to the file, which the worst of headers does not exceed."""
    worst = [content for content, _ in FOREIGN.values()] + [described(text) for text, _ in DESCRIPTIONS.values()]
    for content in worst:
        started = time.process_time()
        tracemalloc.start()
        refused(path, content)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert time.process_time() - started < 1
        assert peak < 10 * len(content) + 10**6


def test_tensors_and_descriptions_come_back(path):
    arrays = {
        "x": np.array([[1.5, np.nan, -0.0, 5e-324]]).T,
        "f": np.zeros((3, 0, 2), "float32"),
        "big end": np.arange(3, dtype=">f4"),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "scalar": np.array(7, "uint64"),
        "bool": np.array([True, False]),
    }
    description = {"text": 'é\n"\\/', "numbers": [0.1, 1e-300, -0.0, 2**64], "order": {"b": 1, "a": None}}
    files.write(path, "checkpoint", arrays, description)
    tensors, content = files.read(path, "checkpoint")
    assert {key: content[key] for key in description} == description and list(content["order"]) == ["b", "a"]
    for name, array in arrays.items():
        assert_same_bits(tensors[name], np.asarray(array, array.dtype.newbyteorder("=")))
        tensors[name][...] = 0  # writable, and apart from the file
    assert_same_bits(files.read(path, "checkpoint")[0]["x"], arrays["x"])
    with pytest.raises(
        fastnn.FileFormatError, match=r"is a 'checkpoint', not a 'model': read it by trainer.load_check"
    ):
        files.read(path, "model")
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write(path, "checkpoint", {}, {"x": float("nan")})
    assert len(files.read(path, "checkpoint")[0]) == 6


# Writing


def test_an_error_while_writing_leaves_what_was_there(path, monkeypatch):
    for name in ("fsync", "replace", "fchmod"):
        path.write_bytes(b"old")
        with monkeypatch.context() as patch:
            patch.setattr(os, name, lambda *args: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            with pytest.raises(OSError, match="No space left"):
                files.replace(path, b"new")
        assert path.read_bytes() == b"old"
        assert os.listdir(path.parent) == [path.name]
    with pytest.raises(FileNotFoundError):
        files.replace(path.parent / "no such folder" / "file", b"new")
    files.replace(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_link_stays_a_link(path):
    target = path.parent / "target"
    path.symlink_to(target)
    files.replace(path, b"new")
    assert path.is_symlink() and target.read_bytes() == b"new"


def test_writers_of_one_file_take_turns(path):
    """What is there at the end, and whenever somebody looks, is what one of them wrote."""
    contents = [bytes([i]) * 10**5 for i in range(4)]
    files.replace(path, contents[0])
    writers = [threading.Thread(target=lambda c=c: [files.replace(path, c) for _ in range(5)]) for c in contents]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert path.read_bytes() in contents
    for writer in writers:
        writer.join()
    assert path.read_bytes() in contents
    assert os.listdir(path.parent) == [path.name]


WRITER = """
import sys
from fastnn.files import format as files
content = [bytes([i]) * 3_000_000 for i in range(2)]
print("ready", flush=True)
while True:
    for part in content:
        files.replace(sys.argv[1], part)
"""


def test_a_killed_writer_loses_nothing(path, rng):
    contents = [bytes([i]) * 3_000_000 for i in range(2)]
    files.replace(path, contents[0])
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as child:
            child.stdout.readline()
            time.sleep(0.2 * rng.random())
            os.kill(child.pid, signal.SIGKILL)
        assert path.read_bytes() in contents
    files.replace(path, b"new")
    assert os.listdir(path.parent) == [path.name]


MANY = {
    "lists": b'{"a":[' + b"[]," * 10**6 + b"[]]}",
    "metadata": b'{"__metadata__":{' + b",".join(b'"%d":""' % i for i in range(10**5)) + b"}}",
    "axes": json.dumps(tensor(shape=[1] * 1000)).encode(),
    "long axis": json.dumps(tensor(shape=[0, 2**62], data_offsets=[0, 0])).encode(),
    "offsets": json.dumps(tensor(shape=[2**60], data_offsets=[0, 2**62])).encode(),
}


@pytest.mark.parametrize("name", MANY)
def test_headers_that_ask_for_much(name, path):
    started = time.process_time()
    tracemalloc.start()
    refused(path, header(MANY[name], b"0000" if name != "long axis" else b""))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * len(MANY[name]) + 10**6
    assert time.process_time() - started < 1


def test_truth_values_are_0_or_1(path):
    files.write(path, "checkpoint", {"a": np.array([True])}, {})
    path.write_bytes(path.read_bytes()[:-1] + b"\2")
    with pytest.raises(fastnn.FileFormatError, match="truth values that are neither 0 nor 1"):
        files.read(path, "checkpoint")


HUNGRY = """
import resource, sys
import fastnn

def size():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * 4096

fastnn.load(sys.argv[1])  # imports what it needs
seen = set()
for more in range(5, 80, 5):
    resource.setrlimit(resource.RLIMIT_AS, (size() + more * 10**6, -1))
    try:
        fastnn.load(sys.argv[1])
        seen.add("loaded")
    except MemoryError:
        seen.add("MemoryError")
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
print(sorted(seen))
"""


def test_lack_of_memory_is_a_memory_error_and_no_more(path):
    nn.Sequential(nn.Linear(2000, 1600, weight_init=0.0), seed=0).save(path)
    out = subprocess.run([sys.executable, "-c", HUNGRY, str(path)], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "['MemoryError', 'loaded']"
