"""Sparse inputs: the bits of the dense product, without the zeros; networks trained and run on them."""

import tracemalloc

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn._core import dispatch, threads
from fastnn.data import Mixup
from fastnn.testing.measure import assert_same_bits

sp = pytest.importorskip("scipy.sparse")

SHAPES = [(1, 1, 1), (5, 7, 3), (33, 300, 16), (64, 100, 37), (40, 50, 129), (3, 400, 520)]


def sparse(rows, cols, dtype, density=0.1, seed=0):
    """With an empty row and an empty column."""
    rng = np.random.default_rng(seed)
    dense = np.where(rng.random((rows, cols)) < density, rng.normal(size=(rows, cols)), 0).astype(dtype)
    dense[rows // 2] = 0
    dense[:, cols // 2] = 0
    return sp.csr_array(dense), dense


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bits_are_those_of_the_dense_product(shape, dtype, isa):
    rows, n_in, n_out = shape
    x, dense = sparse(rows, n_in, dtype)
    rng = np.random.default_rng(1)
    w, b = rng.normal(size=(n_in, n_out)).astype(dtype), rng.normal(size=n_out).astype(dtype)
    g = rng.normal(size=(rows, n_out)).astype(dtype)
    for bias in (b, None):
        assert_same_bits(F.sparse_linear(x, w, bias), F.linear(dense, w, bias))
    _, grad_weight, grad_bias = F.linear_backward(g, dense, w)
    found = F.sparse_linear_backward(g, x)
    assert_same_bits(found[0], grad_weight)
    assert_same_bits(found[1], grad_bias)


def test_bits_do_not_depend_on_threads(dtype, isas):
    x, _ = sparse(300, 900, dtype)
    rng = np.random.default_rng(1)
    w, g = rng.normal(size=(900, 70)).astype(dtype), rng.normal(size=(300, 70)).astype(dtype)
    one = F.sparse_linear(x, w), *F.sparse_linear_backward(g, x)
    before = fastnn.get_num_threads()
    threads.set_worth(0)
    try:
        for n in (2, 3, 5):
            fastnn.set_num_threads(n)
            for a, b in zip(one, (F.sparse_linear(x, w), *F.sparse_linear_backward(g, x)), strict=True):
                assert_same_bits(a, b)
    finally:
        fastnn.set_num_threads(before)
        threads.set_worth()
    assert dispatch.get_isa() == isas[0]


def test_backends_agree_with_scipy(dtype, backend):
    x, _ = sparse(20, 30, dtype)
    rng = np.random.default_rng(1)
    w, b, g = (rng.normal(size=s).astype(dtype) for s in ((30, 6), 6, (20, 6)))
    tolerance = {"rtol": 1e-5 if dtype == "float32" else 1e-13, "atol": 1e-5 if dtype == "float32" else 1e-13}
    with fastnn.use_backend(backend):
        np.testing.assert_allclose(F.sparse_linear(x, w, b), x.astype("float64") @ w + b, **tolerance)
        grad_weight, grad_bias = F.sparse_linear_backward(g, x)
        np.testing.assert_allclose(grad_weight, x.astype("float64").T @ g, **tolerance)
        np.testing.assert_allclose(grad_bias, g.sum(0, dtype="float64"), **tolerance)
        out = np.empty((20, 6), dtype)
        assert F.sparse_linear(x, w, b, out=out) is out


@pytest.mark.parametrize("form", ["csc", "coo", "lil", "dok", "csr_matrix", "unsorted", "twice", "int", "bool"])
def test_all_formats_of_scipy_are_read(form):
    x, dense = sparse(12, 20, "float64")
    w = np.random.default_rng(0).normal(size=(20, 3))
    if form in ("csc", "coo", "lil", "dok"):
        x = x.asformat(form)
    elif form == "csr_matrix":
        x = sp.csr_matrix(x)
    elif form == "unsorted":
        row = np.array([[0.0, 1.0, 2.0]])
        x, dense = sp.csr_array(([2.0, 1.0], [2, 1], [0, 2]), shape=(1, 3)), row
        w = w[:3]
    elif form == "twice":
        x, dense = sp.csr_array(([2.0, 1.0], [1, 1], [0, 2]), shape=(1, 3)), np.array([[0.0, 3.0, 0.0]])
        w = w[:3]
    else:
        dense = (dense != 0).astype(form)
        x = sp.csr_array(dense)
    assert_same_bits(F.sparse_linear(x, w), F.linear(dense.astype("float64"), w))


def networks(dtype, features=60):
    def make():
        net = nn.Sequential(
            nn.Linear(features, 12),
            nn.GELU(),
            nn.Dropout(0.2),
            nn.BatchNorm1d(12),
            nn.Linear(12, 3),
            seed=0,
            dtype=dtype,
        )
        return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.AdamW(net.parameters(), lr=0.01), metrics=["f1"])

    return make(), make()


@pytest.mark.parametrize(
    "more",
    [{}, {"accumulate": 2, "validation_split": 0.2}, {"shuffle": False, "drop_last": True}, {"batch_size": None}],
    ids=["plain", "accumulate", "in order", "all rows"],
)
def test_training_has_the_bits_of_dense_rows(more, dtype, backend):
    x, dense = sparse(101, 60, dtype)
    y = np.random.default_rng(0).integers(0, 3, 101)
    weight = np.linspace(1, 2, 101)
    one, other = networks(dtype)
    with fastnn.use_backend(backend):
        for trainer, given in ((one, x), (other, dense)):
            trainer.fit(given, y, sample_weight=weight, progress=False, **({"epochs": 3, "batch_size": 16} | more))
        assert_same_bits(one.net.parameters().data, other.net.parameters().data)
        assert one.history["loss"] == other.history["loss"]
        assert_same_bits(one.net.predict(x), other.net.predict(dense))
        assert one.evaluate(x, y) == other.evaluate(dense, y)
        assert one.step(x[:7], y[:7]) == other.step(dense[:7], y[:7])
        np.testing.assert_array_equal(one.net.parameters().grad, other.net.parameters().grad)


def test_whole_data_metrics_and_many_networks_take_sparse_rows():
    x, dense = sparse(90, 60, "float32")
    y = np.random.default_rng(0).integers(0, 2, 90)

    def make():
        net = nn.Sequential(nn.Linear(60, 2), seed=0)
        return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1), metrics=["log_loss"])

    one, other = make(), make()
    fastnn.fit_many([one], x, y, epochs=3)
    other.fit(dense, y, epochs=3, progress=False)
    assert one.evaluate(x, y) == other.evaluate(dense, y)


def test_memory_is_that_of_a_batch():
    x = sp.random_array((20_000, 10_000), density=1e-4, format="csr", dtype="float32", rng=np.random.default_rng(0))
    net = nn.Sequential(nn.Linear(10_000, 4), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    tracemalloc.start()
    trainer.fit(x, np.zeros((20_000, 4), "float32"), epochs=1, batch_size=64, progress=False)
    net.predict(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6  # dense rows would be 800 MB


def test_what_does_not_fit_is_refused_before_anything_is_trained():
    x, dense = sparse(20, 60, "float32")
    y = np.zeros(20, "int64")
    one, _ = networks("float32")
    before = one.net.parameters().data.copy()
    with pytest.raises(ValueError, match="Linear: x has 59 features, this layer takes 60"):
        one.fit(x[:, :59], y)
    with pytest.raises(TypeError, match="transform: sparse rows cannot be mixed"):
        one.fit(x, y, transform=Mixup(0.2))
    with pytest.raises(TypeError, match="x must be a matrix of real numbers, got complex64"):
        one.net.predict(x.astype("complex64"))
    with pytest.raises(ValueError, match="too large for float32"):
        one.net.predict(x.astype("float64") * 1e300)
    bad = x.copy()
    bad.data[5] = np.nan
    row, column = np.argwhere(np.isnan(bad.toarray()))[0]
    with pytest.raises(ValueError, match=rf"x\[{row}, {column}\] is nan: x must be finite"):
        one.fit(bad, y, epochs=1, batch_size=4, progress=False, shuffle=False)
    net = nn.Sequential(nn.LayerNorm(60), nn.Linear(60, 1))
    with pytest.raises(ValueError, match=r"LayerNorm: a sparse x goes to Linear layers only: give x.toarray\(\)"):
        net.predict(x)
    with pytest.raises(TypeError, match=r"give x.toarray\(\)"):
        net(x)
    np.testing.assert_array_equal(networks("float32")[0].net.parameters().data, before)
    with pytest.raises(TypeError, match="x must be a sparse matrix of SciPy, got ndarray: see linear"):
        F.sparse_linear(dense, np.ones((60, 2), "float32"))
    with pytest.raises(ValueError, match=r"weight must have shape \(60, out_features\) for this x, got \(3, 2\)"):
        F.sparse_linear(x, np.ones((3, 2), "float32"))
    with pytest.raises(ValueError, match="grad_output must have 20 rows, as x, got 3"):
        F.sparse_linear_backward(np.ones((3, 2), "float32"), x)
