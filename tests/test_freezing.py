"""Frozen networks: the outputs of the network, less memory, nothing that trains."""

import io
import warnings

import numpy as np
import pytest

import fastnn
from fastnn import nn

X = np.random.default_rng(0).normal(size=(40, 6))


def network(dtype="float32"):
    net = nn.Sequential(
        nn.Linear(6, 20), nn.BatchNorm1d(20), nn.ReLU(), nn.Dropout(0.5),
        nn.Residual(nn.Sequential(nn.Linear(20, 20), nn.Dropout(0.2), nn.Tanh())), nn.LayerNorm(20),
        nn.Sequential(nn.Linear(20, 4), nn.GaussianNoise(0.1)), seed=0, dtype=dtype,
    )  # fmt: skip
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), fastnn.optim.Adam(net.parameters()))
    trainer.fit(X, np.arange(40) % 4, epochs=3, seed=0, progress=False)
    return net


@pytest.mark.usefixtures("backend")
def test_outputs_are_those_of_the_network(dtype):
    net = network(dtype)
    frozen = net.freeze()
    rtol = 1e-4 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(frozen.predict(X), net.predict(X), rtol=rtol, atol=rtol)
    assert frozen(X).tobytes() == frozen.predict(X).tobytes()
    names = [type(layer).__name__ for _, layer in frozen.network.named_modules()]
    assert not {"BatchNorm1d", "Dropout", "GaussianNoise", "LinearInt8"} & set(names)
    assert not frozen.network.training and not any(p.requires_grad for p in frozen.network.parameters())


def test_it_is_a_copy():
    net = network()
    frozen = net.freeze(batch_size=40)
    before = frozen.predict(X)
    net.parameters().data[...] = 0
    np.testing.assert_array_equal(frozen.predict(X), before)


def test_other_dtypes():
    net = network("float64")
    single = net.freeze("float32")
    assert single.predict(X).dtype == "float32" and single.nbytes < 0.6 * net.freeze().nbytes
    np.testing.assert_allclose(single.predict(X), net.predict(X), rtol=1e-4, atol=1e-4)
    assert network().freeze("float64").predict(X).dtype == "float64"


@pytest.mark.usefixtures("backend")
def test_integers():
    net = network()
    frozen = net.freeze("int8")
    names = [type(layer).__name__ for _, layer in frozen.network.named_modules()]
    assert names.count("LinearInt8") == 3 and "Linear" not in names
    report = frozen.report(X, np.arange(40) % 4)
    assert report.rows == 40 and 0 < report.relative < 0.05 and report.agreement > 0.9
    assert report.largest == pytest.approx(np.abs(frozen.predict(X).astype("float64") - net.predict(X)).max())
    assert report.accuracy_before == (net.predict(X).argmax(1) == np.arange(40) % 4).mean()
    assert "have the same largest output; accuracy" in str(report)


def test_integers_take_a_quarter_of_the_memory():
    net = nn.Sequential(nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 64), seed=0)
    report = net.freeze("int8").report(np.random.default_rng(0).normal(size=(10, 256)))
    assert report.nbytes < 0.27 * report.nbytes_before and report.accuracy is None


def test_networks_of_one_output_and_of_noise_alone():
    assert nn.Sequential(nn.Linear(6, 1), seed=0).freeze().report(X).agreement is None
    np.testing.assert_array_equal(nn.Sequential(nn.Dropout(0.5)).freeze().predict(X), X.astype("float32"))


def test_a_file_holds_a_frozen_network():
    frozen, file = network().freeze("int8"), io.BytesIO()
    frozen.save(file)
    assert fastnn.load(file.getvalue()).eval().predict(X).tobytes() == frozen.predict(X).tobytes()


def test_a_normalization_that_stays_is_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.Sequential(nn.BatchNorm1d(6), nn.ReLU(), seed=0).freeze()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: net.freeze("bf16"), "dtype must be"),
        (lambda net: net.freeze(batch_size=0), "batch_size must be"),
        (lambda net: net.freeze().report(X[:0]), "x must have a row at least, got 0"),
        (lambda net: net.freeze().report(X, np.zeros((40, 4))), "y must have a class index for each of 40 rows"),
        (lambda net: net.freeze().report(X[:, :3]), "features"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call(nn.Sequential(nn.Linear(6, 4), seed=0))
