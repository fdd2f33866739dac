"""Every chapter runs, and comes to what it says; as a notebook it is the same code."""

import json

import pytest

pytest.importorskip("matplotlib")

import numpy as np
from matplotlib import pyplot

from fastnn.course import chapters, find, run

LN10 = np.log(10)


def zigzag(r):
    sigmoid, tanh = ([r["slopes"][name, std] for std in (0.2, 2.0)] for name in ("Sigmoid", "Tanh"))
    accuracies = r["accuracies"]
    return (
        max(sigmoid) < 0.25 and sigmoid[1] < 0.05 and tanh[0] > 5 * tanh[1]
        and min(r["saturated"]["Sigmoid", 2.0], r["saturated"]["Tanh", 2.0]) > 0.6
        and max(accuracies["Sigmoid", 0.2], accuracies["Sigmoid", 2.0], accuracies["Tanh", 2.0]) < 0.5
        and accuracies["Tanh", 0.2] > 0.85
        and r["apart"][0] == 0 and r["apart"][1] > 0.3 and r["missing"][1] < r["missing"][0]
    )  # fmt: skip


def slopes_of_lines(r):
    best, slopes = r["best"], r["slopes"]
    return (
        best["MAE"] == 0.1 and best["MSE"] > 0.9 and best["Huber"] < 0.25
        and abs(slopes["MAE"] - 2) < 0.1 and slopes["MSE"] < 0.5 and slopes["Huber"] > 1.6
    )  # fmt: skip


def stalls(r):
    n = np.arange(1, 401)
    return (
        np.allclose(r["steps"]["AdaGrad"], 0.1 / np.sqrt(n), rtol=1e-6)
        and abs(r["steps"]["RMSProp"][-1] - 0.1) < 1e-6
        and max(r["heights"].values()) < 0.1
        and r["losses"]["SGD"] > max(r["losses"][name] for name in ("momentum", "AdaGrad", "RMSProp", "Adam"))
    )


# By name, a condition on `numbers`: every chapter needs one.
EXPECTED = {
    "linear_layers": lambda r: r["straight"] < 1e-14 and r["bent"] > 0.1,
    "width": lambda r: len(r["narrow"]) == 20 and r["narrow"].max() < 0.95 and (r["wide"] > 0.99).sum() >= 19,
    "activations": lambda r: (
        r["steepest"]["sigmoid"] == 0.25 and r["steepest"]["tanh"] == 1 and r["difference"] < 1e-15
    ),
    "saturation": zigzag,
    "dead_units": lambda r: (
        r["dead"]["ReLU"][1] > 0.5 and max(r["dead"]["Leaky ReLU"]) == 0 and max(r["dead"]["ELU"]) < 0.2
        and r["over_epochs"][0] == 0 and r["accuracy"]["Leaky ReLU"] > r["accuracy"]["ReLU"] + 0.2
    ),
    "softmax": lambda r: (
        r["entropies"][0] < 1e-13 and np.allclose(r["entropies"][1:], [0.989, 2.21], atol=5e-3)
        and len(set(r["order"].tolist())) == 1 and r["temperature"] > 1.5 and r["errors"][1] < r["errors"][0]
    ),
    "losses": slopes_of_lines,
    "batches": lambda r: (
        list(r["steps"].values()) == [30, 480, 7680]
        and list(r["loss"].values()) == sorted(r["loss"].values(), reverse=True)
        and list(r["length"].values()) == sorted(r["length"].values())
    ),
    "learning_rate": lambda r: (
        r["heights"][1] < 0.1 < 1 < r["heights"][0] < r["heights"][2] and r["heights"][2] > 18.8
        and np.allclose(r["ends"], [-2.09, 1.89, 1.89, -2.09], atol=0.1)
        and r["losses"][1] < 0.2 < 0.6 < r["losses"][0] and r["losses"][2] > 0.6
    ),
    "optimizers": stalls,
    "backpropagation": lambda r: (
        [round(float(r[name]), 8) for name in ("loss", "grad", "new", "first")]
        == [0.0239719, 0.02592286, 0.43703857, 0.0239719]
        and max(r["difference"], r["same"]) < 1e-15 and r["last"] < 1e-10
    ),
    "initialization": lambda r: (
        max(r["spreads"]["zeros"]) == 0 and r["spreads"]["small (0.01)"][-1] < 1e-8
        and r["spreads"]["large (0.5)"][-1] > 1000 and 0.3 < r["spreads"]["He"][-1] < 3
        and min(r["losses"]["zeros"], r["losses"]["small (0.01)"]) > LN10 - 0.01
        and max(r["losses"]["Xavier"], r["losses"]["He"]) < 0.3
    ),
    "regularization": lambda r: (
        r["none"]["train"] < 0.1
        and max(r[name]["other"] for name in ("L2", "L1", "dropout")) < r["none"]["other"] - 0.2
        and r["L1"]["nearly 0"] > 0.9 > 0.2 > r["none"]["nearly 0"] and r["L2"]["size"] < r["none"]["size"] / 3
    ),
    "normalization": lambda r: (
        min(r["accuracy"]["batch norm"], r["accuracy"]["layer norm"]) > r["accuracy"]["none"] + 0.2
        and r["difference"] < 1e-4 and all(0.3 < s < 1.5 for s in r["spreads"]["batch norm"])
    ),
    "schedules": lambda r: (
        max(r["jumps"][name] for name in ("steps", "cosine", "exponential")) < r["jumps"]["constant"] / 3
        and max(r["losses"][name] for name in ("steps", "cosine")) < r["losses"]["constant"]
        and abs(r["rates"]["cosine"][30] - 0.015) < 1e-9
    ),
    "digits": lambda r: (
        r["accuracy"] > 0.95 and r["errors"] == round(450 * (1 - r["accuracy"])) and r["calibration"] < 0.05
    ),
}  # fmt: skip


def test_every_chapter_has_an_expectation_and_its_number():
    assert [chapter.name for chapter in chapters()] == list(EXPECTED)
    for number, chapter in enumerate(chapters(), 1):
        assert chapter.number == number and chapter.title.startswith(f"{number}. ")


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.filterwarnings("default:More than 20 figures")
def test_chapter(name, capsys):
    numbers = run(find(name))
    assert EXPECTED[name](numbers), numbers
    assert capsys.readouterr().out
    assert not pyplot.get_fignums()


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.name)
def test_as_a_notebook(chapter):
    """The cells of code are those of the script, in order, and prose is Markdown."""
    book = json.loads(chapter.notebook())
    assert book["nbformat"] == 4 and len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    code = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
    lines = [line for line in chapter.path.read_text().splitlines() if line and not line.startswith("#")]
    assert [line for cell in code for line in cell.splitlines() if line and not line.startswith("#")] == lines
    prose = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "markdown"]
    assert prose[0].startswith("# ") and all(text.strip() for text in prose)
    for text in code:
        compile(text, chapter.name, "exec")  # each cell is whole


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.name)
def test_a_notebook_runs_and_shows_its_pictures(chapter, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.delenv("MPLBACKEND", raising=False)  # that of notebooks
    book = nbformat.reads(chapter.notebook(), as_version=4)
    nbformat.validate(book)
    nbclient.NotebookClient(book, timeout=120).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    pictures = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert pictures and len(set(pictures)) == len(pictures)  # each once
    assert not [output for output in outputs if output.get("name") == "stderr"]


def test_a_chapter_by_number_and_name():
    assert find("7").name == "losses"
    with pytest.raises(ValueError, match=r"there is no chapter 'loss': `fastnn course` lists chapters 1 to 16"):
        find("loss")
