"""Programs as data: complete enough to be run from JSON alone, and refused where they hold Python code."""

import base64
import copy
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn._core import operations as flags
from fastnn.compiler.memory import Argument
from fastnn.compiler.operations import Operation
from fastnn.reference.program import ReferenceProgram
from support.layers import ACTIVATIONS, draw

PAGE = Path(__file__).parents[2] / "docs" / "programs.md"


class Skip(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.gate = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x):
        return x - self.fc(x) * F.tanh(self.gate(x))


NETWORKS = {
    **{f"{cls.__name__}{keywords or ''}": [nn.Linear(6, 6), cls(**keywords)] for cls, _, keywords in ACTIVATIONS},
    "norms": [nn.LayerNorm(6), nn.Linear(6, 6), nn.RMSNorm(6), nn.ReLU(), nn.BatchNorm1d(6), nn.GroupNorm(2, 6)],
    "gates": [nn.Linear(6, 12), nn.GLU(), nn.Linear(6, 12), nn.SwiGLU(), nn.Maxout()],
    "parametric": [nn.PReLU(), nn.Linear(6, 6, bias=False), nn.Temperature()],
    "noise": [nn.Dropout(0.3), nn.Linear(6, 6), nn.AlphaDropout(0.2), nn.GaussianNoise(0.1), nn.RReLU()],
    "columns": [nn.Columns([3, 1, 5]), nn.Linear(3, 2)],
    "branches": [nn.Residual(nn.Linear(6, 6), nn.Tanh()), nn.Concat(nn.Identity(), nn.Linear(6, 3)), nn.Linear(9, 2)],
    "tables": [nn.Embedding(3, 2), nn.Linear(12, 4)],
    "bags": [nn.EmbeddingBag(3, 2), nn.Linear(2, 4)],
    "tabular": [nn.TabularInput(numeric=range(5), categorical={5: (3, 2)}), nn.Linear(7, 4)],
    "traced": [Skip(), nn.ReLU()],
}


def through_json(program):
    return json.loads(json.dumps(program.to_dict(), allow_nan=False))


def rebuilt(data):
    """An executor of the data alone, and its tensors: the operations of the reference on memory of its own."""
    memory = [bytearray(base64.b64decode(b["data"]) if b["data"] else b["nbytes"]) for b in data["buffers"]]
    assert [len(m) for m in memory] == [b["nbytes"] for b in data["buffers"]]
    tensors = [np.ndarray(t["shape"], _dtype(t["dtype"]), memory[t["buffer"]], t["offset"], t["strides"])
               for t in data["tensors"]]  # fmt: skip

    def operand(place):
        return Argument(place["argument"]) if "argument" in place else tensors[place["tensor"]]

    operations = [
        Operation(
            o["kind"], o["label"], {role: operand(place) for role, place in o["operands"].items()},
            o["n_in"], o["n_out"], o["kernel"], tuple(map(float, o["params"])),
            {k: float(v) for k, v in o["options"].items()},
            sum(getattr(flags, name.upper()) for name in o["flags"]), o["seed"], o["stream"],
            loss=None if o["loss"] is None else SimpleNamespace(**o["loss"]),
        )
        for o in data["operations"]
    ]  # fmt: skip
    for operation in operations:
        operation.check()
    program = SimpleNamespace(
        operations=operations, tick=np.array([data["tick"]]), n_out=data["n_out"], dtype=data["dtype"],
        sections=data["sections"],
    )  # fmt: skip
    return ReferenceProgram(program), tensors


def _dtype(written):
    return np.dtype(written if isinstance(written, str) else [tuple(field) for field in written])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_program_runs_from_its_json(name, dtype, rng):
    """Forward and backward pass, on fewer rows than the program takes: outputs and all gradients."""
    net = nn.Sequential(*copy.deepcopy(NETWORKS[name]), seed=0, dtype=dtype)
    coded = name in ("tables", "bags", "tabular")
    x = rng.integers(0, 3, (7, 6)).astype(dtype) if coded else draw(rng, (7, 6), dtype)
    net.train()
    program = net.program("train", 9, 6)
    data = through_json(program)
    grad_y = draw(rng, (7, program.n_out), dtype)
    results = []
    for executor in (rebuilt(data)[0], program.executor):
        y, grad_x = np.empty_like(grad_y), np.empty_like(x)
        for section in ("forward", "backward"):
            slots = {"input": x, "output": y, "grad_output": grad_y, "grad_input": grad_x}
            executor.run(*data["sections"][section], 7, slots, np.zeros(8), 5)
        results.append((y, grad_x))
        if executor is not program.executor:
            gradients = _gradients(data, executor)
    tolerance = {"rtol": 2e-4, "atol": 2e-5} if dtype == "float32" else {"rtol": 1e-10, "atol": 1e-12}
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, **tolerance)
    assert gradients.keys() == {p.name for p in net.parameters()}
    for p in net.parameters():
        np.testing.assert_allclose(gradients[p.name], p.grad, **tolerance)


def _gradients(data, executor):
    """The gradients by the names of their parameters."""
    found = {}
    for o, operation in zip(data["operations"], executor.operations, strict=True):
        for role, place in o["operands"].items():
            name = "tensor" in place and data["tensors"][place["tensor"]].get("gradient")
            if name:
                found[name] = operation.arrays[role]
    return found


@pytest.mark.parametrize("arguments", [{"label_smoothing": 0.1}, {"weight": np.array([1.0, 2.0, 0.5])}], ids=str)
def test_a_step_has_its_loss_and_its_update(arguments, rng):
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(**arguments), optim.Adam(net.parameters()))
    x, labels = draw(rng, (5, 6), "float32"), np.arange(5) % 3
    data = through_json(trainer.compile(5))
    executor, _ = rebuilt(data)
    sums = np.zeros(8)
    first, last = data["sections"]["forward"][0], data["sections"]["backward"][1]
    executor.run(first, last, 5, {"input": x, "target": labels}, sums, 1)
    gradients = _gradients(data, executor)
    assert sums[0] == pytest.approx(trainer.step(x, labels), rel=1e-6)
    for p in net.parameters():
        np.testing.assert_allclose(gradients[p.name], p.grad, rtol=1e-4, atol=1e-6)
    start, stop = data["sections"]["update"]
    assert [(o["kernel"], o["optimizer"]) for o in data["operations"][start:stop]] == [("adam_step", "Adam")]


def test_tensors_have_names_lifetimes_and_places():
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), seed=0)
    data = through_json(net.compile(16))
    values = {t["parameter"]: t for t in data["tensors"] if "parameter" in t}
    assert values.keys() == {"0.weight", "0.bias", "2.weight", "2.bias"}
    starts = {p.name: 4 * p.start for p in net.parameters()}
    base = values["0.weight"]["offset"] - starts["0.weight"]
    assert {name: t["offset"] - base for name, t in values.items()} == starts
    assert {t["rows"] for t in values.values()} == {False}
    stored = base64.b64decode(data["buffers"][values["0.weight"]["buffer"]]["data"])
    weight = np.ndarray((4, 8), "<f4", stored, values["0.weight"]["offset"])
    assert weight.tobytes() == net[0].weight.tobytes()
    uses = [[p.get("tensor") for p in o["operands"].values()] for o in data["operations"]]
    for number, tensor in enumerate(data["tensors"]):
        users = [at for at, numbers in enumerate(uses) if number in numbers]
        assert (tensor["first"], tensor["last"]) == (users[0], users[-1])
    scratch = {t["buffer"] for t in data["tensors"] if t["rows"]}
    assert [data["buffers"][i]["data"] for i in scratch] == [None]


def test_numbers_that_json_lacks_are_strings():
    net = nn.Sequential(nn.Linear(2, 2), nn.Hardtanh(0.0, float("inf")))
    (first, *_) = through_json(net.compile(4))["operations"]
    assert first["params"] == [0.0, "inf"]


def test_python_code_is_refused():
    net = nn.Sequential(nn.Linear(4, 4), seed=0)
    net[0].register_forward_hook(lambda layer, x, y: None)
    with pytest.raises(ValueError, match="to_dict: 0 forward hook is written in Python"):
        net.compile(4).to_dict()


def page_executor():
    namespace = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.S):
        exec(compile(block, str(PAGE), "exec"), namespace)
    return namespace["Executor"]


@pytest.mark.parametrize("layers", [
    [nn.Linear(6, 5), nn.Sigmoid(), nn.Linear(5, 6), nn.LayerNorm(6), nn.Tanh()],
    [nn.BatchNorm1d(6), nn.Linear(6, 6), nn.LeakyReLU(0.2), nn.Linear(6, 2, bias=False)],
    [nn.Residual(nn.Linear(6, 6), nn.SiLU()), nn.Columns([5, 0])],
    [nn.Concat(nn.Identity(), nn.Linear(6, 3)), nn.Linear(9, 2)],
    [Skip(), nn.ReLU()],
], ids=["plain", "norms", "residual", "concat", "traced"])  # fmt: skip
def test_the_executor_of_the_page_predicts(layers, rng):
    net = nn.Sequential(*copy.deepcopy(layers), seed=0).eval()
    x = draw(rng, (7, 6), "float32")
    program = net.program("predict", 9, 6)
    y = np.empty((7, program.n_out), "float32")
    page_executor()(through_json(program)).run("forward", 7, input=x, output=y)
    np.testing.assert_allclose(y, net.predict(x), rtol=1e-5, atol=1e-6)


def test_the_executor_of_the_page_says_what_it_lacks():
    executor = page_executor()
    data = through_json(nn.Sequential(nn.PReLU(), nn.Linear(2, 2)).compile(4))
    with pytest.raises(NotImplementedError, match="operation prelu of 0 PReLU"):
        executor(data).run("forward", 1, input=np.zeros((1, 2), "float32"))
    with pytest.raises(ValueError, match="expected a fastnn-program of version 1, got fastnn-program 2"):
        executor(data | {"version": 2})


def test_the_losses_of_heads_have_a_data_form():
    heads = nn.Heads(a=nn.Linear(4, 3), b=nn.Linear(4, 1))
    net = nn.Sequential(nn.Linear(4, 4), heads, seed=0)
    loss = nn.HeadsLoss(heads, a=nn.CrossEntropyLoss(), b=nn.MSELoss())
    trainer = fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.1))
    trainer.step(np.ones((5, 4), "float32"), {"a": np.arange(5) % 3, "b": np.ones((5, 1), "float32")})
    operations = through_json(trainer.compile(5))["operations"]
    losses = {(o["loss"]["name"], o["head"]) for o in operations if o["loss"]}
    assert losses == {("cross_entropy", "a"), ("mse_loss", "b")}
