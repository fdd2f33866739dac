"""check_backend finds planted faults, passes the reference and our own kernels, and says what is wrong."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import reference
from fastnn.optim import functional as optim
from fastnn.testing import Report, check_backend


def altered(name, change):
    """The reference's function with a fault."""
    right = getattr(reference, name)
    return lambda *args, **kwargs: change(right, *args, **kwargs)


def wrong_tail(right, x, *args, **kwargs):
    y = np.array(right(x, *args, **kwargs))
    y.reshape(-1)[y.size // 8 * 8 :] = 0
    return y


def swapped(right, g, x, *args, **kwargs):
    return right(x, g, *args, **kwargs)


def without_nan(right, x, *args, **kwargs):
    return np.nan_to_num(right(x, *args, **kwargs))


def without_weights(right, *args, sample_weight=None, **kwargs):
    return right(*args, **kwargs)


def always_mean(right, *args, reduction="mean", **kwargs):
    return right(*args, **kwargs)


def next_step(right, *args, step=1, **kwargs):
    return right(*args, step=step + 1, **kwargs)


def with_other(**other):
    return lambda right, *args, **kwargs: right(*args, **(kwargs | other))


def in_single(right, *args, **kwargs):
    value = right(*(a.astype("float16") if isinstance(a, np.ndarray) else a for a in args), **kwargs)
    return np.asarray(value, args[0].dtype)


def rounded_sum(right, *args, **kwargs):
    return right(*args, **kwargs) * (1 + 1e-3)


FAULTS = [
    ("relu", wrong_tail), ("gelu", wrong_tail), ("softmax", wrong_tail), ("sigmoid", without_nan),
    ("tanh", without_nan),
    ("tanh_backward", swapped), ("silu_backward", swapped), ("mse_loss", without_weights),
    ("cross_entropy", without_weights), ("huber_loss", always_mean), ("l1_loss_backward", always_mean),
    ("adam_step", next_step), ("radam_step", next_step), ("nadam_step", next_step), ("adam_step", with_other(eps=1e-3)),
    ("rmsprop_step", with_other(alpha=0.5)), ("sgd_step", with_other(momentum=0.5)),
    ("layer_norm", with_other(eps=1e-2)), ("rms_norm", with_other(eps=1e-2)), ("exp", in_single),
    ("log_softmax", rounded_sum), ("elu", with_other(alpha=1.0)), ("leaky_relu", with_other(negative_slope=0.01)),
    ("softplus", lambda right, x, *a, **k: np.asarray(right(x, *a, **k), "float64")),
    ("mish", lambda right, x, *a, **k: right(x, *a, **k)[..., :-1]),
    ("linear", lambda right, x, w, b=None, *a, **k: right(x, w, None, *a, **k)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change"), FAULTS, ids=[f"{i}-{name}" for i, (name, _) in enumerate(FAULTS)])
def test_a_planted_fault_is_found(name, change):
    report = check_backend({name: altered(name, change)}, ops=[name])
    assert not report.passed and report.failures[0].operation == name
    assert "import your" in report.failures[0].failure.snippet


def test_the_reference_and_our_kernels_pass():
    names = [*F.__all__, *optim.__all__]
    own = {name: getattr(F, name, None) or getattr(optim, name) for name in names}
    for functions in ({name: getattr(reference, name) for name in dir(reference)}, own):
        report = check_backend(functions)
        assert report.passed, str(report)
        assert len(report.results) > 190 and not report.missing


def test_the_report_is_a_table_json_and_xml():
    report = check_backend({"relu": lambda x: np.where(x > 0, x, 0), "exp": np.exp}, ops=["relu", "exp", "tanh"])
    assert isinstance(report, Report) and report.missing == ["tanh"]
    text = str(report)
    assert (
        "relu(float32, special values): the result[0] is" in text and "2 operations, 1 failed, 1 are not there" in text
    )
    data = json.loads(report.to_json())
    assert data["passed"] is False and data["results"][1]["failure"]["case"].startswith("relu(")
    tree = ElementTree.fromstring(report.to_junit())
    assert tree.attrib["failures"] == "1" and len(tree) == 2


def test_a_snippet_runs_and_shows_the_fault(tmp_path, monkeypatch, capsys):
    (tmp_path / "your.py").write_text("import numpy as np\n\ndef relu(x):\n    return np.where(x > 0, x, 0)\n")
    monkeypatch.syspath_prepend(tmp_path)
    report = check_backend({"relu": lambda x: np.where(x > 0, x, 0)}, ops=["relu"], dtypes=["float32"])
    exec(report.failures[0].failure.snippet, {})
    assert capsys.readouterr().out.startswith("[0.")
    assert "# expected: [nan" in report.failures[0].failure.snippet


def test_a_case_can_be_left_out_and_a_difference_explained():
    def partly(x, approximate="none"):
        if approximate != "none":
            raise NotImplementedError
        return F.gelu(x)

    report = check_backend({"gelu": partly}, ops=["gelu"])
    assert report.passed and report.results[0].skipped > 0
    report = check_backend({"relu": lambda x: x}, ops=["relu"], explained={"relu": "is the identity here"})
    assert report.passed and report.results[0].failed and "is the identity here" in str(report)


def test_a_function_that_raises_fails():
    report = check_backend({"exp": lambda x: 1 / 0}, ops="exp")
    assert "raises ZeroDivisionError" in report.failures[0].failure.reason


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="ops: there is no operation 'rellu'"):
        check_backend({}, ops=["rellu"])
    with pytest.raises(ValueError, match="dtypes must be one of"):
        check_backend({}, dtypes=["float16"])
    with pytest.raises(TypeError, match="implementation must be a module or a mapping of functions, got str"):
        check_backend("torch")
    assert fastnn.get_backend() == "native"
