"""Little files that ask for much: time and memory of reading are in proportion to the file."""

import contextlib
import gc
import time
import tracemalloc

import pytest

import fastnn
from fastnn import nn
from fastnn.files import format as files

MODELS = [
    {"layer": "Columns", "arguments": {"columns": {"range": [0, 3 * 10**9, 1]}}},
    {"layer": "Columns", "arguments": {"columns": {"range": [0, -(2**70), -1]}}},
    {"layer": "Columns", "arguments": {"columns": {"slice": [0, 2**70, 1]}}},
    {"layer": "BatchNorm1d", "arguments": {"num_features": 4 * 10**8, "affine": False}},
    {"layer": "BatchNorm1d", "arguments": {"num_features": 4 * 10**8, "track_running_stats": False}},
    {"layer": "BatchNorm1d", "arguments": {"num_features": 10**18}},
    {"layer": "LayerNorm", "arguments": {"features": 4 * 10**8}},
    {"layer": "PReLU", "arguments": {"num_parameters": 4 * 10**8}},
    {"layer": "Embedding", "arguments": {"num_embeddings": 2**24, "embedding_dim": 2**24}},
    {"layer": "TabularInput", "arguments": {"numeric": {"range": [0, 10**10, 1]}}},
    {"layer": "TabularInput", "arguments": {"numeric": [0], "categorical": {"dict": [[1, [10**7, 10**7]]]}}},
    {"layer": "Dropout", "arguments": {"p": {"array": [1.0], "dtype": "V999999999", "shape": [1]}}},
    {"layer": "Maxout", "arguments": {"pieces": 10**18}},
]


def cost(call):
    gc.collect()
    tracemalloc.start()
    started = time.process_time()
    with contextlib.suppress(fastnn.FileFormatError):
        call()
    seconds, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak


@pytest.mark.parametrize("i", range(len(MODELS)))
def test_little_models_ask_for_little(i, path):
    net = {"layer": "Sequential", "arguments": {"layers": [MODELS[i]] * 50, "seed": 0, "dtype": "float32"}}
    files.write(path, "model", {}, {"architecture": net, "tick": 0})
    seconds, peak = cost(lambda: fastnn.load(path))
    assert seconds < 2 and peak < 10**7


def test_tuples_around_a_list_are_not_copied_again_and_again(path):
    spec = list(range(10**5))
    for _ in range(190):
        spec = {"tuple": spec}
    net = {"layer": "Dropout", "arguments": {"p": spec}}
    files.write(path, "model", {}, {"architecture": net, "tick": 0})
    assert cost(lambda: fastnn.load(path))[0] < 2
    with pytest.raises(fastnn.FileFormatError, match="nothing that fastnn writes"):
        fastnn.load(path)


LAYERS = {
    "Linear": lambda: nn.Linear(1, 1),
    "ReLU": nn.ReLU,
    "BatchNorm1d": lambda: nn.BatchNorm1d(1),
    "empty": nn.Sequential,
    "nested": lambda: nn.Sequential(nn.Linear(1, 1)),
    "Residual": lambda: nn.Residual(nn.Linear(1, 1)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_many_layers_take_time_in_proportion(name, path):
    """Four times as many, four times as long; with quadratic work it would be sixteen times."""
    seconds = []
    for count in (200, 800):
        nn.Sequential(*(LAYERS[name]() for _ in range(count)), seed=0).save(path)
        times = []
        for _ in range(3):
            started = time.process_time()
            assert len(fastnn.load(path)) == count
            times.append(time.process_time() - started)
        seconds.append(min(times))
    assert seconds[1] < 9 * seconds[0] + 0.1


def test_layers_in_layers_take_time_in_proportion(path):
    layer = nn.Linear(1, 1)
    for _ in range(20):
        layer = nn.Residual(nn.Sequential(layer))
    nn.Sequential(layer, seed=0).save(path)
    assert cost(lambda: fastnn.load(path))[0] < 2


def test_lack_of_memory_is_a_memory_error(path, monkeypatch):
    nn.Sequential(nn.Linear(2, 3), seed=0).save(path)

    def fail(*args, **keywords):
        raise MemoryError("no memory")

    monkeypatch.setattr(nn.Linear, "add_parameter", fail)
    with pytest.raises(MemoryError):
        fastnn.load(path)
