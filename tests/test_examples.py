"""The examples run, and come to what they are there to show."""

import importlib.util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
RUN_AS_SCRIPTS = {"digits"}  # test_cli.py
DATA_OF_SKLEARN = {"breast_cancer", "diabetes"}
OF_TABLES = {"churn", "intervals"}  # which need pandas too

# What `main` returns, by example: every one needs an expectation.
EXPECTED = {
    "breast_cancer": lambda r: r["roc_auc"] > 0.97 and r["f1"] > 0.9 and r["restored"] == r["epochs"] - 15,
    "calibration": lambda r: (
        r["temperature"] > 1.5
        and r["errors"][0] > 0.08 > 0.06 > r["errors"][1]
        and r["losses"][0] > r["losses"][1]
        and r["same"] == 1
    ),
    "churn": lambda r: (
        r["tabular"]["log_loss"] < r["linear"]["log_loss"] < 0.55
        and r["tabular"]["roc_auc"] > 0.8
        and r["least"] == "since"
    ),
    "diabetes": lambda r: r["network"] < 1.05 * r["least squares"] < 0.8 * r["mean"],
    "imbalanced": lambda r: (
        r["plain"]["recall"] < 0.6 < r["their roots"]["recall"] < r["class weights"]["recall"]
        and r["their roots"]["f1"] > r["class weights"]["f1"]
    ),
    "initialization": lambda r: (
        max(r["zeros"]["loss"], r["small (std 0.01)"]["loss"]) > 2.29
        and max(r["He"]["loss"], r["Xavier"]["loss"]) < 0.5
        and r["small (std 0.01)"]["std"][-1] < 1e-9 < 1e3 < r["large (std 0.5)"]["std"][-1]
        and 0.5 < r["He"]["std"][-1] < 2
        and r["He"]["advice"] == 0 < r["zeros"]["advice"]
    ),
    "intervals": lambda r: r["r2"] > 0.9 and all(abs(share - c) < 0.04 for c, share in r["shares"].items()),
    "overfitting": lambda r: (
        r["none"]["train"] > 0.98
        and min(r["none"]["val_loss"] - r[name]["val_loss"] for name in r.keys() - {"none", "label smoothing"}) > 0.05
        and r["early stopping"]["by heart"] < 0.5
    ),
    "policy_gradient": lambda r: r["first"] < 40 and r["last"] > 150,
    "resume": lambda r: r["kills"] == 2 and r["alone"] == r["resumed"],
    "schedules": lambda r: (
        1e-3 < r["suggestion"] < 1
        and max(r[name]["val_loss"] for name in ("StepLR", "OneCycleLR", "WarmupLR, linear"))
        < r["constant"]["val_loss"]
    ),
    "spiral": lambda r: r["linear"] < 0.75 and r["deep"] > 0.97,
}


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_has_an_expectation():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(EXPECTED) | RUN_AS_SCRIPTS


@pytest.mark.parametrize("name", EXPECTED)
def test_example(name, capsys):
    if name in DATA_OF_SKLEARN | OF_TABLES:
        pytest.importorskip("sklearn.datasets")
    if name in OF_TABLES:
        pytest.importorskip("pandas")
    result = load(name).main()
    assert EXPECTED[name](result), result
    assert capsys.readouterr().out
