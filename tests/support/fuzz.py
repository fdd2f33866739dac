"""Broken and hostile files, made from the good ones in recorded/fuzz: nothing but documented errors may come of any.

Some have bytes that were changed, which the checksum must notice. The others are what a foe would write: other values
in the description or the tensors, with a right checksum. `make fuzz` runs three minutes, guided by coverage where
Atheris is installed; the suite some seconds.
"""

import argparse
import contextlib
import importlib
import importlib.util
import json
import pathlib
import random
import struct
import sys
import tempfile
import time

import numpy as np
import safetensors.numpy

import fastnn
from fastnn import nn, optim
from fastnn.files import format as files
from support import RECORDED
from support.resumable import data, make_trainer

CORPUS = RECORDED / "fuzz"
MOST_SECONDS = 10.0  # for one file, on a busy machine
JUNK = [
    None, True, -1, 0, 1, 3, 2**31, 2**63, 2**64, -(2**70), 10**400, 0.5, -0.0, 1e308, "", "x", "Linear", "float64",
    [], {}, [[]], {"dict": []}, {"tuple": []}, {"tuple": {"tuple": [1]}}, {"float": "nan"}, {"float": "-inf"},
    {"array": "0.weight"}, {"range": [0, 10**12, 1]}, {"range": [0, 9, 0]}, {"slice": [None, None, -1]},
    {"dict": [[[], 1]]}, {"dict": [[1]]}, {"init": "Normal"}, {"layer": "ReLU", "arguments": {}},
    {"layer": "Sequential", "arguments": {"layers": []}},
    {"layer": "BatchNorm1d", "arguments": {"num_features": 10**9, "affine": False}},
    {"layer": "Embedding", "arguments": {"num_embeddings": 2**24, "embedding_dim": 10**9}},
]  # fmt: skip


def unpacked(file):
    """The tensors and the content of a good file."""
    size = int.from_bytes(file[:8], "little")
    content = json.loads(json.loads(file[8 : 8 + size])["__metadata__"]["fastnn"])["content"]
    return safetensors.numpy.load(file), content


def packed(tensors, content):
    """A file with a right checksum, whatever the content."""
    text = files._dumps({"sha256": files._digest(files._dumps(content), tensors), "content": content})
    return safetensors.numpy.save(tensors, metadata={"fastnn": text})


def places(spec):
    """All (container, key) in a description."""
    found = []
    for key in list(spec) if isinstance(spec, dict) else range(len(spec)):
        found.append((spec, key))
        if isinstance(spec[key], (dict, list)):
            found += places(spec[key])
    return found


def changed_content(content, chance):
    there = places(content)
    at, key = chance.choice(there)
    how = chance.randrange(6)
    if how == 0:
        del at[key]
    elif how == 1:
        other, name = chance.choice(there)
        at[key] = json.loads(json.dumps(other[name]))
    elif how == 2 and isinstance(at, list):
        at.insert(key, at[key])
    elif how == 3 and type(at[key]) in (int, float):
        at[key] = chance.choice([-at[key], at[key] + 1, at[key] * 1000, float(at[key]), str(at[key])])
    elif how == 4 and isinstance(at, dict):
        at[chance.choice(["x", "layer", "init", "seed", "array"])] = chance.choice(JUNK)
    else:
        at[key] = chance.choice(JUNK)


def changed_tensors(tensors, chance):
    name = chance.choice(list(tensors))
    array = tensors[name]
    how = chance.randrange(7)
    if how == 0:
        del tensors[name]
    elif how == 1:
        tensors[name] = array.reshape(-1)[: chance.randrange(array.size + 1)]
    elif how == 2:
        with np.errstate(all="ignore"):
            tensors[name] = array.astype(chance.choice(["float64", "float32", "float16", "int64", "uint8", "bool"]))
    elif how == 3:
        tensors[name + chance.choice(["x", "'", "."])] = array
    elif how == 4 and array.size:
        array = tensors[name] = array.copy()
        huge = [0, 1, 100] if array.dtype.kind in "biu" else [np.nan, np.inf, -1e30, 0]
        array.reshape(-1)[chance.randrange(array.size)] = chance.choice(huge)
    elif how == 5:
        tensors[name] = np.concatenate([array.reshape(-1)] * 2)
    else:
        tensors[name] = tensors[chance.choice(list(tensors))]


def hostile(file, chance):
    """A good file with a few other values and a right checksum."""
    tensors, content = unpacked(file)
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        if chance.random() < 0.3 and tensors:
            changed_tensors(tensors, chance)
        elif content:
            changed_content(content, chance)
    return packed({name: np.ascontiguousarray(array) for name, array in tensors.items()}, content)


def broken(file, chance):
    """A file with other bytes."""
    start, stop = sorted((chance.randrange(len(file) + 1), chance.randrange(len(file) + 1)))
    some = [
        lambda: file[:start],
        lambda: file[:start] + file[stop:],
        lambda: file[:start] + bytes([chance.randrange(256)]) + file[start + 1 :],
        lambda: file[:start] + chance.randbytes(chance.randrange(9)) + file[start:],
        lambda: struct.pack("<Q", chance.choice([0, 1, 2**20, 2**63, len(file)])) + file[8:],
        lambda: file + file[start:stop],
    ]
    return chance.choice(some)()


def mutated(file, chance):
    """A broken or a hostile file from a good one."""
    if chance.random() < 0.75:
        try:
            return hostile(file, chance)
        except Exception:  # not good any more, or nothing that can be packed
            pass
    return broken(file, chance)


def rich_trainer():
    """What the checkpoints of the corpus are of."""
    layers = [nn.Linear(6, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 3)]
    groups = [{"params": "*.bias", "weight_decay": 0.0}]
    trainer = make_trainer(layers=layers, optimizer=lambda p: optim.AdamW(p, groups=groups, max_grad_norm=1.0))
    trainer.scheduler = optim.lr_scheduler.CosineAnnealingLR(trainer.optimizer, T_max=30, by="batch")
    trainer.average = optim.ExponentialMovingAverage(trainer.net.parameters())
    return trainer


def run_model(path):
    """Load it; what could be loaded can be run, saved and loaded again."""
    net = fastnn.load(path)
    features = 6 if net.in_features is None else net.in_features
    if features <= 1000:
        with contextlib.suppress(ValueError, TypeError):  # it takes another number of features, or codes
            net.predict(np.zeros((2, features), net.dtype))
    net.save(path)
    fastnn.load(path)


def run_checkpoint(path):
    """Load it into a trainer, and go on with the run."""
    trainer = rich_trainer()
    x, y, weight = data()
    stopping = fastnn.callbacks.EarlyStopping("loss", patience=9)
    settings = {"epochs": 2, "batch_size": 16, "sample_weight": weight, "seed": 3, "callbacks": [stopping]}
    trainer.fit(x, y, checkpoint=path, checkpoint_every=1000, resume=True, **settings)
    trainer.load_checkpoint(path)


def try_file(content, path):
    """Whether a file is taken. AssertionError, and whatever else is no documented error, is a finding."""
    path.write_bytes(content)
    started = time.process_time()
    try:
        (run_checkpoint if b'kind\\":\\"checkpoint' in content else run_model)(path)
        taken = True
    except fastnn.FileFormatError:
        taken = False
    except ValueError as error:  # a checkpoint of another network or run
        if not any(words in str(error) for words in ("does not fit", "as in the run to go on with", " must ")):
            raise
        taken = False
    seconds = time.process_time() - started
    assert seconds < MOST_SECONDS, f"{len(content)} bytes took {seconds:.1f} s"
    return taken


def fuzz(seconds, seed=0):
    """Try mutated files for so long; (files, files taken)."""
    chance, good = random.Random(seed), [path.read_bytes() for path in sorted(CORPUS.iterdir())]
    end, tried, taken = time.monotonic() + seconds, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "file"
        while time.monotonic() < end:
            content = mutated(chance.choice(good), chance)
            try:
                taken += try_file(content, path)
            except BaseException:
                pathlib.Path("finding").write_bytes(content)
                print(f"the file is kept as {pathlib.Path('finding').resolve()}", file=sys.stderr)
                raise
            tried += 1
    return tried, taken


def fuzz_guided(seconds):
    """The same, guided by coverage; it ends the process."""
    import atheris

    folder = tempfile.mkdtemp()
    path = pathlib.Path(folder) / "file"

    def mutate(content, most, seed):
        return mutated(content, random.Random(seed))[:most]

    for name in ("files.format", "files.values", "nn.architecture", "nn.loading", "training.checkpoint", "_schema"):
        module = importlib.import_module(f"fastnn.{name}")
        for key, value in vars(module).items():
            if callable(value) and getattr(value, "__module__", "") == module.__name__ and not isinstance(value, type):
                setattr(module, key, atheris.instrument_func(value))
    (pathlib.Path(folder) / "found").mkdir()
    options = [f"-max_total_time={seconds}", "-max_len=60000", "-rss_limit_mb=2000", "-timeout=20"]

    def one(content):
        try_file(content, path)

    atheris.Setup([sys.argv[0], *options, f"{folder}/found", str(CORPUS)], one, custom_mutator=mutate)
    atheris.Fuzz()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    parser.add_argument("--guided", action="store_true", help="by coverage, where Atheris is installed")
    given = parser.parse_args()
    if given.guided and importlib.util.find_spec("atheris"):
        fuzz_guided(given.seconds)
    tried, taken = fuzz(given.seconds, given.seed)
    print(f"{tried} files, {taken} of them taken, no finding (seed {given.seed})")


if __name__ == "__main__":
    main()
