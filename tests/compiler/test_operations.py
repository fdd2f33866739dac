"""The table of operations, the two backends that carry them out, and programs as they are printed."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn._core import operations as core
from fastnn.compiler.operations import OPERATIONS, Operation
from fastnn.reference.operations import Operations as Reference

OPERANDS = {name.rstrip("?") for kind in OPERATIONS.values() for name in f"{kind.reads} {kind.writes}".split()}
LAYERS = (
    nn.Columns([0, 1, 2, 3]), nn.Linear(4, 8), nn.ReLU(), nn.LayerNorm(8), nn.RMSNorm(8), nn.BatchNorm1d(8), nn.PReLU(),
    nn.Dropout(0.5), nn.Softmax(), nn.Residual(nn.Linear(8, 8), nn.GELU()), nn.Softplus(), nn.Temperature(), nn.GLU(),
)  # fmt: skip


class Identity(nn.Module):
    def forward(self, x):
        return x

    def backward(self, grad_output):
        return grad_output


class Joins(nn.Module):
    def __init__(self):
        super().__init__()
        self.add_parameter("scale", (4,), init=0.5)

    def forward(self, x):
        return x * self["scale"] + x.mean(-1, keepdim=True)


def trainer_of(*layers, loss, metrics=(), **options):
    net = nn.Sequential(*layers, seed=0)
    return fastnn.Trainer(net, loss, optim.Adam(net.parameters()), metrics=metrics, **options)


@pytest.fixture(scope="module")
def programs():
    """Programs that have every kind of operation among them."""
    plain = trainer_of(
        *LAYERS, Identity(), Joins(), nn.Linear(4, 3), loss=nn.CrossEntropyLoss(), metrics=["f1", "top_k_accuracy"]
    )
    plain.average = optim.SWA(plain.net.parameters())
    x, y = np.ones((4, 4), "float32"), np.arange(4) % 3
    plain.step(x, y)
    errors = trainer_of(nn.Embedding(3, 2), nn.GroupNorm(2, 4), nn.Linear(8, 2), loss=nn.MSELoss(), metrics=["mae"])
    errors.step(x, np.ones((4, 2), "float32"))
    bags = trainer_of(nn.EmbeddingBag(3, 2), loss=nn.MSELoss())
    bags.step(x, np.ones((4, 2), "float32"))
    heads = nn.Heads(a=nn.Linear(8, 3), b=nn.Linear(8, 1))
    several = trainer_of(nn.Linear(4, 8), heads, loss=nn.HeadsLoss(heads, a=nn.CrossEntropyLoss(), b=nn.MSELoss()))
    several.step(x, {"a": y, "b": np.ones((4, 1), "float32")})
    plain.net(x)
    integers = trainer_of(nn.LinearInt8(4, 3), nn.Linear(3, 2), loss=nn.MSELoss())
    integers.step(x, np.ones((4, 2), "float32"))
    missing = trainer_of(nn.Linear(4, 2), loss=nn.MSELoss(), metrics=[nn.L1Loss()], missing="ignore")
    missing.step(x, np.ones((4, 2), "float32"))
    trainers = (plain, errors, bags, several, integers, missing)
    return [program for t in trainers for program in [*t.engine.programs, *t.net._programs]]


def test_both_backends_carry_out_every_kind():
    missing = [kind for kind in OPERATIONS if not hasattr(Reference, f"_{kind}")]
    assert not missing
    numbers = [core.number_of(kind) for kind in OPERATIONS]
    assert len(set(numbers)) == len(OPERATIONS) == max(numbers) + 1


def test_every_operand_has_a_place_of_its_own():
    places = [core.number_of(name) for name in OPERANDS]
    assert len(set(places)) == len(OPERANDS) and max(places) < core.ROLES


def test_every_option_has_a_field():
    options = {name for kind in OPERATIONS.values() for name in kind.options.split()}
    assert options == set(core.OPTION_NAMES)


def test_programs_have_every_kind_as_the_table_says(programs):
    seen = set()
    for program in programs:
        for operation in program.operations:
            operation.check()
            seen.add(operation.kind)
    assert seen == set(OPERATIONS)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"arrays": {"x": 1}}, r"copy has operands \['x', 'y'\], got \['x'\]"),
        ({"arrays": {"x": 1, "y": 2, "weight": 3}}, r"copy has operands .*'weight'"),
        ({"options": {"eps": 1.0}}, r"copy has options , got \['eps'\]"),
        ({"kernel": "relu"}, "copy does not go with kernel relu"),
        ({"kind": "activation"}, "activation does not go with kernel None"),
    ],
)
def test_an_operation_that_is_not_in_the_table_is_refused(changes, text):
    good = {"kind": "copy", "label": "here", "arrays": {"x": 1, "y": 2}, "n_in": 1}
    Operation(**good).check()
    with pytest.raises(ValueError, match=rf"^here: {text}"):
        Operation(**good | changes).check()


def test_a_training_step_is_printed():
    trainer = trainer_of(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), loss=nn.CrossEntropyLoss())
    lines = str(trainer.compile(32)).splitlines()
    assert lines[0].startswith("Program for 32 rows, float32: 7 operations, 8.99 kFLOP, workspace ")
    sections = [line for line in lines[2:] if line.endswith(":")]
    assert sections == ["forward:", "loss:", "backward:", "update:"]
    operations = [line[5:74].rstrip() for line in lines[2:] if not line.endswith(":")]
    assert [" ".join(line.split()) for line in operations] == [
        "linear 0 Linear + 1 ReLU",
        "linear 2 Linear",
        "row_loss CrossEntropyLoss + gradient",
        "count_correct accuracy",
        "linear_backward 2 Linear + gradient of 1 ReLU",
        "linear_backward 0 Linear",
        "update Adam, all parameters at once",
    ]
