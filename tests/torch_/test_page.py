"""Each row of docs/from_pytorch.md holds."""

import re
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
import fastnn.torch  # noqa: E402

TEXT = (Path(__file__).parents[2] / "docs" / "from_pytorch.md").read_text()
TABLES = {
    section.split("\n", 1)[0]: re.findall(r"^\| `(.*?)` \| `(.*?)` \|$", section, flags=re.M)
    for section in re.split(r"^## ", TEXT, flags=re.M)
}
RNG = np.random.default_rng(0)
ARRAYS = {"x": RNG.normal(size=(6, 4)), "t": RNG.normal(size=(6, 4)), "p": RNG.uniform(0.1, 0.9, (6, 4)),
          "w": RNG.normal(size=(3, 4)), "k": RNG.integers(0, 4, 6)}  # fmt: skip
TENSORS = {name: torch.tensor(array) for name, array in ARRAYS.items()}
NAMES = {"fastnn": fastnn, "nn": nn, "F": F, "optim": optim, "torch": torch}


def test_all_tables_are_found():
    assert [len(TABLES[name]) for name in ("Layers", "Functions", "Losses", "Training")] == [20, 9, 9, 6]


@pytest.mark.parametrize("row", TABLES["Layers"], ids=lambda row: row[1])
def test_layers(row):
    module, layer = eval(row[0], NAMES).double(), eval(row[1], NAMES)
    net = fastnn.torch.from_torch(module)
    assert type(net) is type(layer) and repr(net).replace("float64", "float32") == repr(layer)
    x = TENSORS["x"].clone().requires_grad_()
    y = module(x)
    y.sum().backward()
    np.testing.assert_allclose(net(ARRAYS["x"]), y.detach(), rtol=1e-9)
    np.testing.assert_allclose(net.backward(np.ones(y.shape)), x.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("row", TABLES["Functions"], ids=lambda row: row[1])
def test_functions(row):
    np.testing.assert_allclose(eval(row[1], NAMES | ARRAYS), eval(row[0], NAMES | TENSORS), rtol=1e-9)


@pytest.mark.parametrize("row", TABLES["Losses"], ids=lambda row: row[1])
def test_losses(row):
    value, gradient = eval(row[1], NAMES | ARRAYS)
    first = re.search(r"\((\w), \w\)$", row[0])[1]
    tensors = TENSORS | {first: TENSORS[first].clone().requires_grad_()}
    if row[0].endswith("(p, p)"):  # the target needs no gradient
        row = row[0].replace("(p, p)", "(q, p)"), row[1]
        tensors, first = TENSORS | {"q": tensors["p"]}, "q"
    loss = eval(row[0], NAMES | tensors)
    loss.backward()
    assert value == pytest.approx(loss.item(), rel=1e-9)
    np.testing.assert_allclose(gradient, tensors[first].grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("row", TABLES["Training"], ids=lambda row: row[1])
def test_training(row):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 4)).double()
    net = fastnn.torch.from_torch(model)
    theirs, ours = eval(row[0], NAMES | {"model": model}), eval(row[1], NAMES | {"net": net})
    trainer = fastnn.Trainer(net, nn.MSELoss(), ours)
    for _ in range(10):
        theirs.zero_grad()
        loss = torch.nn.functional.mse_loss(model(TENSORS["x"]), TENSORS["t"])
        loss.backward()
        theirs.step()
        assert trainer.step(ARRAYS["x"], ARRAYS["t"]) == pytest.approx(loss.item(), rel=1e-9)
    for name, tensor in fastnn.torch.state_dict(net).items():
        np.testing.assert_allclose(tensor, model.state_dict()[name], rtol=1e-6, atol=1e-9)
