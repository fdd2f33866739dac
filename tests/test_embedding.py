"""Embedding as a function and a layer, and the input of networks for tables."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.layers import draw
from test_parametric import WITH_FMA, stored

# -- the functions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "padding_idx"), [("embedding", None), ("embedding with padding", 2)])
@pytest.mark.parametrize("kind", ["int64", "int8", "uint16", "float64"])
def test_it_is_that_of_torch(name, padding_idx, kind, backend):
    a = stored(name)
    codes = a["codes"].astype(kind)
    assert_same_bits(F.embedding(codes, a["weight"], padding_idx), a["y"])
    gradient = F.embedding_backward(a["g"], codes, a["weight"], padding_idx)
    np.testing.assert_allclose(gradient, a["grad_weight"], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("dim", [1, 7, 16, 33, 100])
def test_the_gradient_adds_up_in_order(dim, dtype, isa, threads, rng):
    codes, g = rng.integers(0, 5, 200), draw(rng, (200, dim), dtype)
    expected = np.zeros((6, dim), dtype)
    for code, row in zip(codes, g, strict=True):
        expected[code] += row
    assert_same_bits(F.embedding_backward(g, codes, np.empty((6, dim), dtype)), expected)


def test_nan_stays_in_its_row(dtype, backend):
    weight = np.array([[1, 2], [np.nan, 3], [np.inf, 4]], dtype)
    np.testing.assert_array_equal(F.embedding(np.array([2, 0, 1]), weight), weight[[2, 0, 1]])
    g = np.array([[np.nan, 1], [2, 3]], dtype)
    np.testing.assert_array_equal(F.embedding_backward(g, np.array([1, 0]), weight), [[2, 3], [np.nan, 1], [0, 0]])


WRONG = [
    (lambda w: F.embedding([0, 7], w), r"codes\[1\] is 7: codes must be integers between 0 and 6"),
    (lambda w: F.embedding([[0, -1]], w), r"codes\[0, 1\] is -1: codes"),
    (lambda w: F.embedding(np.array([0.5]), w), r"codes\[0\] is 0.5: codes"),
    (lambda w: F.embedding(np.array([[1], [np.nan]]), w), r"codes\[1, 0\] is nan: codes"),
    (lambda w: F.embedding(np.array([np.inf]), w), r"codes\[0\] is inf: codes"),
    (lambda w: F.embedding(np.array([2**63], "uint64"), w), rf"codes\[0\] is {2**63}: codes"),
    (lambda w: F.embedding(np.array(9.0), w), r"codes\[\] is 9.0: codes"),
    (
        lambda w: F.embedding([0], w[0]),
        r"weight must have shape \(num_embeddings up to \d+, emb.*, got \(2,\)",
    ),
    (lambda w: F.embedding([0], w, 7), "padding_idx must be at most 6, got 7"),
    (lambda w: F.embedding([0], w, -8), "padding_idx must be at least -7, got -8"),
    (lambda w: F.embedding_backward(np.ones((2, 2)), [0], w), r"grad_output must have shape \(1, 2\) for these codes"),
    (lambda w: F.embedding_backward(np.ones((1, 2)), [8], w), r"codes\[0\] is 8"),
]


@pytest.mark.parametrize(("call", "message"), WRONG)
def test_wrong_arguments(call, message, backend):
    with pytest.raises(ValueError, match=message):
        call(np.zeros((7, 2)))


def test_wrong_types(backend):
    with pytest.raises(TypeError, match="weight is float64 but codes is float32: both must have one dtype"):
        F.embedding(np.zeros(2, "float32"), np.zeros((7, 2)))
    with pytest.raises(TypeError, match="codes must be float32 or float64, got bool"):
        F.embedding([True], np.zeros((7, 2)))


# -- the layer ---------------------------------------------------------------------------------------------------------


def codes_of(rng, shape=(6, 3), dtype="float64", n=7):
    return rng.integers(0, n, shape).astype(dtype)


@pytest.mark.parametrize("padding_idx", [None, 2, -1])
def test_the_layer_alone_is_its_function(padding_idx, dtype, backend, rng):
    layer = nn.Embedding(7, 4, padding_idx, seed=0, dtype=dtype.name)
    x, upstream = codes_of(rng, dtype=dtype), draw(rng, (6, 12), dtype)
    assert_same_bits(layer(x), F.embedding(x, layer.weight).reshape(6, 12))
    np.testing.assert_array_equal(layer.backward(upstream), np.zeros_like(x))
    once = F.embedding_backward(upstream.reshape(6, 3, 4), x, layer.weight, padding_idx)
    np.testing.assert_array_equal(layer.gradient("weight"), once)
    layer(x)
    layer.backward(upstream)
    np.testing.assert_allclose(layer.gradient("weight"), 2 * once, rtol=1e-5, atol=1e-6)
    if padding_idx is not None:
        assert not layer.weight[padding_idx].any()
        assert not layer.gradient("weight")[padding_idx].any()


def test_first_values_are_normal(dtype):
    weight = nn.Embedding(500, 40, seed=0, dtype=dtype.name).weight.astype("float64")
    moments = [(weight**n).mean() for n in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3], atol=0.06)
    one, again, double = (nn.Embedding(500, 40, seed=0, dtype=d).weight for d in ("float32", "float32", "float64"))
    assert_same_bits(one, again)
    np.testing.assert_allclose(one, double, atol=1e-4)


def test_first_values_by_other_rules():
    np.testing.assert_array_equal(nn.Embedding(3, 2, weight_init=[5, 6]).weight, [[5, 6]] * 3)
    np.testing.assert_array_equal(nn.Embedding(3, 2, 1, weight_init="ones").weight, [[1, 1], [0, 0], [1, 1]])
    kaiming = nn.Sequential(nn.Embedding(400, 100, 0, weight_init="kaiming_normal"), nn.Tanh(), seed=0)["0.weight"]
    assert not kaiming[0].any()
    assert kaiming[1:].std() == pytest.approx(5 / 3 / 400**0.5, rel=0.05)  # with the gain of tanh, which follows
    with pytest.raises(ValueError, match="weight_init must be one of"):
        nn.Embedding(3, 2, weight_init="gaussian")


def table_network(dtype="float64", padding_idx=None):
    layers = [nn.Embedding(7, 4, padding_idx), nn.Linear(12, 10), nn.GLU(), nn.PReLU(5, 0.1), nn.Linear(5, 2)]
    return nn.Sequential(*layers, seed=0, dtype=dtype)


def test_training_is_that_of_torch(backend):
    a, net = stored("training"), table_network()
    places = {"0": "0", "2": "1", "4": "3", "5": "4"}  # of the layers there and here: a Flatten is between them
    for key in [key for key in a if key.startswith("before/")]:
        layer, name = key.removeprefix("before/").split(".")
        view = net[f"{places[layer]}.{name}"]
        view[...] = a[key].T if view.shape != a[key].shape else a[key]
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1))
    losses = [trainer.step(x.astype("float64"), y) for x, y in zip(a["codes"], a["y"], strict=True)]
    np.testing.assert_allclose(losses, a["losses"], rtol=1e-12)
    for key in [key for key in a if key.startswith("after/")]:
        layer, name = key.removeprefix("after/").split(".")
        view = net[f"{places[layer]}.{name}"]
        np.testing.assert_allclose(view, a[key].T if view.shape != a[key].shape else a[key], rtol=1e-11, atol=1e-14)


def train(dtype="float32", padding_idx=2):
    net = table_network(dtype, padding_idx)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.05, weight_decay=0.01))
    rng = np.random.default_rng(1)
    x, y = codes_of(rng, (50, 3), dtype), rng.integers(0, 2, 50)
    trainer.fit(x, y, epochs=3, batch_size=16, seed=0, progress=False)
    assert not net["0.weight"][padding_idx].any()
    return net.parameters().data.copy()


def test_training_has_the_same_bits_everywhere(dtype, isas, cut_small_work):
    fastnn.set_num_threads(1)
    expected = train(dtype)
    for isa in WITH_FMA:
        fastnn.set_isa(isa)
        for n in (1, 2, 3):
            fastnn.set_num_threads(n)
            assert_same_bits(train(dtype), expected)
    with fastnn.use_backend("reference"):
        np.testing.assert_allclose(train(dtype), expected, rtol=1e-3, atol=1e-4)


BAD = [
    (7.0, "7.0"),
    (-1.0, "-1.0"),
    (2.5, "2.5"),
    (np.nan, "nan"),
    (np.inf, "inf"),
    (-np.inf, "-inf"),
    (1e30, r"1.*e\+30"),
]


@pytest.mark.parametrize(("value", "text"), BAD)
def test_a_bad_code_is_named_and_nothing_changes(value, text, dtype, backend, rng):
    net = table_network(dtype)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    x, y = codes_of(rng, (6, 3), dtype), np.zeros(6, int)
    for run in (lambda: trainer.step(x, y), lambda: net.predict(x), lambda: net(x)):
        run()  # also what is quick the second time
    bad = x.copy()
    bad[3, 1] = value
    before, state, tick = net.parameters().data.copy(), trainer.optimizer.state_dict(), net._tick.copy()
    message = rf"^Embedding: x\[3, 1\] is {text}: codes must be integers between 0 and 6$"
    for run in (
        lambda: trainer.step(bad, y),
        lambda: trainer.fit(bad, y, batch_size=6, progress=False),
        lambda: trainer.evaluate(bad, y, batch_size=2),
        lambda: net.predict(bad),
        lambda: net(bad),
        lambda: net.eval()(bad),
    ):
        with pytest.raises(ValueError, match=message):
            run()
        assert_same_bits(net.parameters().data, before)
    assert trainer.optimizer.state_dict()["step"] == state["step"]
    assert_same_bits(net._tick, tick)
    assert np.isfinite(trainer.step(x, y))


def test_a_bad_code_has_the_row_of_the_data(backend, rng):
    """Behind thousands of rows, whatever the batch and the order."""
    net = nn.Sequential(nn.Columns([1, 3]), nn.Embedding(7, 2), nn.Linear(4, 2), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()))
    x = codes_of(rng, (1300, 4), "float32")
    x[1234, 3] = 7
    y = np.zeros(1300, int)
    for run in (
        lambda: net.predict(x),
        lambda: trainer.fit(x, y, batch_size=32, seed=1, progress=False),
        lambda: trainer.fit(x, y, batch_size=32, shuffle=False, progress=False),
        lambda: trainer.evaluate(x, y),
    ):
        with pytest.raises(ValueError, match=r"Embedding: x\[1234, 3\] is 7.0: codes must be integers between 0 and 6"):
            run()


def test_codes_that_layers_compute(backend):
    net = nn.Sequential(nn.Linear(2, 2), nn.Embedding(7, 2), seed=0)
    with pytest.raises(ValueError, match=r"Embedding: its input \[0, \d\] is .*: codes must be integers"):
        net.predict(np.ones((1, 2), "float32") * np.array([0.1, 0.7], "float32"))


def test_wrong_layers():
    for call, message in (
        (lambda: nn.Embedding(0, 2), "num_embeddings must be at least 1, got 0"),
        (lambda: nn.Embedding(2, 0), "embedding_dim must be at least 1, got 0"),
        (lambda: nn.Embedding(2, 2, 2), "padding_idx must be at most 1, got 2"),
        (lambda: nn.Embedding(2**60, 2), "num_embeddings must be at most"),
        (lambda: nn.Columns([-1]), r"columns\[0\] must be at least 0, got -1"),
        (lambda: nn.Columns([0, 4])(np.ones((2, 4))), "Columns: x has 4 features, there is no column 4"),
        (lambda: nn.TabularInput([]), "TabularInput needs at least one column, numeric or categorical"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    for columns in ("abc", 3, [0.5]):
        with pytest.raises(TypeError, match="must be a"):
            nn.Columns(columns)


# -- columns and tables ------------------------------------------------------------------------------------------------


def table(rng, rows=40, dtype="float64"):
    """Numbers, then codes of 5, numbers, codes of 3."""
    columns = rng.normal(size=rows), rng.integers(0, 5, rows), rng.normal(size=rows), rng.integers(0, 3, rows)
    return np.stack(columns, axis=1).astype(dtype)


def test_a_tabular_input_is_its_columns_side_by_side(dtype, backend, rng):
    layer = nn.TabularInput(numeric=[2, 0], categorical={1: (5, 3), 3: (3, 1)})
    net = nn.Sequential(layer, nn.Linear(6, 2), seed=0, dtype=dtype)
    x = table(rng, dtype=dtype)
    first, second = (net[f"0.{i}.1.weight"] for i in (1, 2))
    expected = np.concatenate([x[:, [2, 0]], first[x[:, 1].astype(int)], second[x[:, 3].astype(int)]], axis=1)
    assert_same_bits(layer(x), expected)
    assert_same_bits(net(x), F.linear(expected, net["1.weight"], net["1.bias"]))
    assert_same_bits(net.predict(x), net(x))
    x[7, 3] = 3
    for run in (net.predict, net):
        with pytest.raises(ValueError, match=r"Embedding: x\[7, 3\] is 3.0: codes must be integers between 0 and 2"):
            run(x)


@pytest.mark.parametrize("arguments", [{"numeric": [0, 2]}, {"numeric": [], "categorical": {3: (3, 2)}}])
def test_a_table_may_have_one_kind_of_columns(arguments, backend, rng):
    net = nn.Sequential(nn.TabularInput(**arguments), nn.Linear(2, 2), seed=0, dtype="float64")
    assert net(table(rng)).shape == (40, 2)


def test_a_tabular_network_learns(backend, rng):
    """What only the category tells: numbers alone would not do."""
    x = table(rng, 300, "float32")
    y = ((x[:, 1] % 2) == (x[:, 3] > 0)).astype(int)
    inputs = nn.TabularInput([0, 2], {1: (5, 3), 3: (3, 2)})
    net = nn.Sequential(inputs, nn.Linear(7, 16), nn.ReLU(), nn.Linear(16, 2), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.02))
    history = trainer.fit(x, y, epochs=40, batch_size=32, seed=0, progress=False)
    assert history["accuracy"][-1] > 0.95
