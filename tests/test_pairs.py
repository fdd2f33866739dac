"""What does not fit together is told: last layer and loss, targets and loss, names of arguments."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, nn, optim

X = np.ones((4, 3), "float32")


def make(loss, *layers, n_out=2):
    net = nn.Sequential(nn.Linear(3, n_out), *layers, seed=0)
    return fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.1))


@pytest.mark.parametrize(
    ("loss", "layer", "message"),
    [
        (
            nn.CrossEntropyLoss(),
            nn.Softmax(),
            "CrossEntropyLoss takes logits, but the last layer is Softmax: leave out",
        ),
        (nn.CrossEntropyLoss(), nn.Sequential(nn.Tanh(), nn.Softmax()), "the last layer is Softmax"),
        (nn.SoftmaxFocalLoss(), nn.Softmax(), "SoftmaxFocalLoss takes logits"),
        (nn.BCEWithLogitsLoss(), nn.Sigmoid(), "BCEWithLogitsLoss takes logits, but the last layer is Sigmoid"),
        (nn.HingeLoss(), nn.Sigmoid(), "HingeLoss takes logits"),
        (nn.NLLLoss(), nn.Identity(), None),  # who knows
        (
            nn.NLLLoss(),
            nn.Softmax(),
            r"NLLLoss takes log-probabilities, but the last layer is Softmax: .*nn.LogSoftmax\(\)",
        ),
        (nn.NLLLoss(), None, "NLLLoss takes log-probabilities, but the last layer is Linear.*or nn.CrossEntropyLoss"),
        (nn.KLDivLoss(), nn.Softmax(), "KLDivLoss takes log-probabilities"),
        (nn.KLDivLoss(), None, None),  # outputs may well be logarithms
        (nn.BCELoss(), None, r"BCELoss takes probabilities, but the last layer is Linear: end with nn.Sigmoid\(\)"),
        (nn.BCELoss(), nn.LogSoftmax(), "BCELoss takes probabilities"),
        (nn.BCELoss(), nn.Sigmoid(), None),
        (nn.NLLLoss(), nn.LogSoftmax(), None),
        (nn.CrossEntropyLoss(), nn.LogSoftmax(), None),
        (nn.CrossEntropyLoss(), None, None),
        (nn.MSELoss(), nn.Sigmoid(), None),
    ],
)
def test_a_last_layer_that_does_not_fit_the_loss(loss, layer, message):
    layers = [] if layer is None else [layer]
    if message is None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            make(loss, *layers)
        return
    with pytest.warns(UserWarning, match=message) as warned:
        make(loss, *layers)
    assert warned[0].filename == __file__


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: nn.BCELoss(pos_weight=3.0), "unexpected keyword argument 'pos_weight'"),
        (lambda p: nn.MSELoss(size_average=False), "MSELoss takes no argument 'size_average': did you mean reduction"),
        (lambda p: nn.L1Loss(redution="sum"), "L1Loss takes no argument 'redution': did you mean reduction"),
        (lambda p: nn.RMSELoss(delta=1.0), "RMSELoss takes no argument 'delta'"),
        (lambda p: nn.SoftMarginLoss(margin=1.0), "SoftMarginLoss takes no argument 'margin'"),
        (lambda p: nn.HuberLoss(dleta=1.0), "dleta"),
        (lambda p: optim.Adam(p, learning_rate=0.1), "Adam takes no argument 'learning_rate': did you mean lr"),
        (lambda p: optim.SGD(p, momentun=0.1), "SGD takes no argument 'momentun': did you mean momentum"),
        (
            lambda p: optim.RMSprop(p, max_gradnorm=1.0),
            "RMSprop takes no argument 'max_gradnorm': did you mean max_grad_norm",
        ),
        (
            lambda p: nn.CrossEntropyLoss(np.ones(10)),
            "CrossEntropyLoss: reduction must be a word, got ndarray.*weight=...",
        ),
        (lambda p: nn.CrossEntropyLoss(weight="balanced"), "got 'balanced': fastnn.data.class_weights"),
        (lambda p: fastnn.load(3), "path must be a str, a path or a binary file object, or bytes, got int"),
    ],
)
def test_arguments_that_there_are_not(call, message):
    with pytest.raises(TypeError, match=message):
        call(nn.Sequential(nn.Linear(2, 2), seed=0).parameters())


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize(
    ("loss", "n_out", "y", "error", "message"),
    [
        (nn.CrossEntropyLoss(), 2, ["a", "b", "a", "b"], TypeError, r"got words: number them.*np.unique"),
        (nn.CrossEntropyLoss(), 2, np.array(["a", "b"] * 2, object), TypeError, "got words"),
        (nn.NLLLoss(), 2, [["a"], ["b"], ["a"], ["b"]], TypeError, "got words"),
        (nn.CrossEntropyLoss(), 2, [1, 2, 1, 2], ValueError, r"y\[.\] is 2.*counted from 0, use y - 1"),
        (nn.CrossEntropyLoss(), 1, [0, 1, 0, 1], ValueError, "the network has one output"),
        (
            nn.CrossEntropyLoss(ignore_index=1),
            2,
            np.full((4, 2), 0.5, "f"),
            ValueError,
            "ignore_index=1 is for class ind",
        ),
    ],
)
def test_targets_that_do_not_fit_the_loss(loss, n_out, y, error, message, backend):
    layers = [nn.LogSoftmax()] if isinstance(loss, nn.NLLLoss) else []
    trainer = make(loss, *layers, n_out=n_out)
    before = trainer.net.state_dict()
    with fastnn.use_backend(backend):
        for call in (trainer.step, trainer.evaluate, lambda x, y: trainer.fit(x, y, progress=False)):
            with pytest.raises(error, match=message):
                call(X, y)
    assert all(np.array_equal(value, before[name]) for name, value in trainer.net.state_dict().items())


def test_other_dtypes_and_lists_are_converted():
    expected = make(nn.CrossEntropyLoss()).step(X, [0, 1, 0, 1])
    for x in (X.astype("d"), X.tolist()):
        assert make(nn.CrossEntropyLoss()).step(x, [0, 1, 0, 1]) == expected


def test_a_record_that_there_is_not():
    stop = callbacks.EarlyStopping("val_acc", mode="max")
    with pytest.raises(ValueError, match=r"there is no 'val_acc'.*did you mean val_accuracy"):
        make(nn.CrossEntropyLoss()).fit(
            X, [0, 1] * 2, validation_data=(X, [0, 1] * 2), callbacks=[stop], progress=False
        )


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\x80\x02}"])
def test_a_file_of_pytorch(start, tmp_path):
    (tmp_path / "model.pt").write_bytes(start + bytes(100))
    with pytest.raises(fastnn.FileFormatError, match=r"torch\.save.*load_state_dict\(state, layout=\"torch\"\)"):
        fastnn.load(tmp_path / "model.pt")


def test_the_source_without_a_build_says_so(tmp_path):
    folder = tmp_path / "fastnn"
    (folder / "_core").mkdir(parents=True)
    (folder / "_core" / "__init__.py").touch()
    (folder / "__init__.py").write_text(Path(fastnn.__file__).read_text())
    done = subprocess.run([sys.executable, "-c", "import fastnn"], cwd=tmp_path, capture_output=True, text=True,
                          env={"PYTHONPATH": str(tmp_path)}, timeout=60)  # fmt: skip
    assert "is the source of fastnn, where nothing is compiled: start Python in another folder" in done.stderr


def test_each_head_is_looked_at():
    heads = nn.Heads(kind=nn.Sequential(nn.Linear(3, 2), nn.Softmax()), spam=nn.Linear(3, 1), size=nn.Linear(3, 1))
    net = nn.Sequential(nn.Linear(2, 3), heads, seed=0)
    loss = nn.HeadsLoss(heads, kind=nn.CrossEntropyLoss(), spam=nn.BCELoss(), size=nn.MSELoss())
    with pytest.warns(UserWarning, match="^head ") as caught:
        fastnn.Trainer(net, loss, optim.SGD(net.parameters()))
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 2
    assert messages[0].startswith("head 'kind': CrossEntropyLoss takes logits, but the last layer is Softmax")
    assert messages[1].startswith("head 'spam': BCELoss takes probabilities, but the last layer is Linear")
    assert all(warning.filename == __file__ for warning in caught)


def test_heads_that_fit_are_not_mentioned():
    heads = nn.Heads(kind=nn.Linear(3, 2), spam=nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()))
    net = nn.Sequential(nn.Linear(2, 3), heads, seed=0)
    fastnn.Trainer(net, nn.HeadsLoss(heads, kind=nn.CrossEntropyLoss(), spam=nn.BCELoss()), optim.SGD(net.parameters()))
