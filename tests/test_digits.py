"""Handwritten digits: the data set, and a network with one hidden layer that learns it."""

import hashlib

import numpy as np
import pytest

import fastnn
from fastnn import data, nn, optim

# At least 0.964 over 50 seeds; with pixels as they are, or a higher rate, some seeds stay below 0.96.
EPOCHS, BATCH_SIZE, LR = 60, 32, 1e-3


@pytest.fixture(scope="module")
def digits():
    """Training and test pixels, standardized, and training and test labels."""
    X, y = data.load_digits(dtype="float64")
    X_train, X_test, y_train, y_test = data.train_test_split(X, y, test_size=0.25, seed=0, stratify=y)
    return *data.standardize(X_train, X_test), y_train, y_test


def make(seed, dtype="float32"):
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10), seed=seed, dtype=dtype)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=LR))


@pytest.mark.parametrize("seed", range(5))
def test_digits_are_recognized(seed, digits):
    X_train, X_test, y_train, y_test = digits
    trainer = make(seed)
    history = trainer.fit(X_train.astype("float32"), y_train, epochs=EPOCHS, batch_size=BATCH_SIZE)
    scores = trainer.evaluate(X_test.astype("float32"), y_test)
    assert scores["accuracy"] >= 0.96
    assert scores["accuracy"] == np.mean(trainer.net.predict(X_test.astype("float32")).argmax(1) == y_test)
    assert history["loss"][-1] < 0.01 < history["loss"][0]
    assert history["accuracy"][-1] == 1.0


def test_both_backends_learn_the_same_weights(digits):
    X_train, _, y_train, _ = digits

    def weights(backend):
        trainer = make(0, "float64")
        with fastnn.use_backend(backend):
            trainer.fit(X_train, y_train, epochs=2, batch_size=BATCH_SIZE)
        return trainer.net.parameters().data

    np.testing.assert_allclose(weights("native"), weights("reference"), rtol=1e-7)


def test_a_split_of_the_data_learns_in_every_order_of_classes(digits):
    """Nothing is learnt from the order of the samples: sorted by class, shuffling makes up for it."""
    X_train, X_test, y_train, y_test = digits
    order = np.argsort(y_train, kind="stable")
    trainer = make(0, "float64")
    trainer.fit(X_train[order], y_train[order], epochs=20, batch_size=BATCH_SIZE)
    assert trainer.evaluate(X_test, y_test)["accuracy"] > 0.94


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_digits_are_complete_and_exact(dtype):
    X, y = data.load_digits(dtype=dtype)
    assert X.shape == (1797, 64) and X.dtype == dtype and X.min() == 0 and X.max() == 1
    assert y.shape == (1797,) and y.dtype == np.int64
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    content = (16 * X).astype(np.uint8).tobytes() + y.astype(np.uint8).tobytes()
    assert hashlib.sha256(content).hexdigest() == "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_digits_default_to_float32_and_are_fresh_each_time():
    X, y = data.load_digits()
    assert X.dtype == np.float32
    X[:], y[:] = -1, -1
    again, labels = data.load_digits()
    assert again.min() == 0 and labels.min() == 0


def test_digits_are_scikit_learns():
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = data.load_digits(dtype="float64")
    pixels, labels = datasets.load_digits(return_X_y=True)
    assert np.array_equal(X * 16, pixels) and np.array_equal(y, labels)


def test_digits_reject_other_dtypes():
    with pytest.raises(TypeError, match="dtype must be float32 or float64, got float16"):
        data.load_digits(dtype="float16")
