"""Inputs and targets of any real dtype and layout: the same bits as if they had been converted before."""

import tracemalloc

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn._core import rows as core
from fastnn.testing.measure import assert_same_bits
from support.resumable import bits
from test_arrays import Capsule, Wrapped, misaligned

REAL = ["bool", "float16", "float32", "float64", *(f"{sign}int{n}" for sign in ("", "u") for n in (8, 16, 32, 64))]
ROWS = 40
GRID = np.random.default_rng(0).integers(0, 7, (ROWS, 12)).astype("float64")
LABELS = np.random.default_rng(1).integers(0, 2, ROWS)


def spread(array):
    """The same numbers, every second one of a wider array."""
    return np.repeat(array, 2, axis=1)[:, ::2]


LAYOUTS = {
    "plain": np.ascontiguousarray,
    "Fortran order": np.asfortranarray,
    "strided": spread,
    "reversed": lambda array: array[::-1, ::-1].copy()[::-1, ::-1],
    "misaligned": misaligned,
}
KINDS = {dtype: lambda array, dtype=dtype: array.astype(dtype) for dtype in REAL}
KINDS |= {layout: lambda array, change=change: change(array + 0.3) for layout, change in LAYOUTS.items()}
KINDS |= {
    "Fortran order uint8": lambda array: np.asfortranarray(array.astype("uint8")),
    "read only": lambda array: np.broadcast_to((array + 0.3)[0], array.shape),
    "list": lambda array: (array + 0.3).tolist(),
    "list of integers": lambda array: array.astype(int).tolist(),
    "__array__": lambda array: Wrapped(array + 0.3),
    "__dlpack__": lambda array: Capsule(array + 0.3),
}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def make(dtype, loss=None, n_out=2, **options):
    net = nn.Sequential(nn.Linear(12, 5), nn.Tanh(), nn.Linear(5, n_out), seed=0, dtype=dtype, **options)
    return fastnn.Trainer(net, loss or nn.CrossEntropyLoss(), optim.Adam(net.parameters()))


def as_before(array, dtype):
    """The array, converted by NumPy."""
    return np.ascontiguousarray(np.asarray(getattr(array, "array", array)).astype(dtype))


# -- the conversion itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", core.SOURCES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_numbers_are_those_of_astype(source, layout, dtype, rng):
    """Also where they are rounded: beyond 2^53, halfway, denormal, at the ends of the range."""
    kind = np.dtype(source)
    if kind.kind in "iu":
        info = np.iinfo(kind)
        x = rng.integers(info.min, info.max, (9, 37), kind, endpoint=True)
        x[0, :3] = info.min, info.max, info.max - 1
        x[1] = (2**24 + np.arange(37)).astype(kind)
    else:
        x = rng.standard_normal((9, 37)).astype(kind)
        if kind.kind == "f":
            x[0, :8] = np.inf, -np.inf, np.nan, 0, -0.0, 1e-40, 5e-324, np.finfo("float16").max
            x[1] = (1 + np.arange(37) * 2.0**-25).astype(kind)
    with np.errstate(over="ignore"):
        expected = x.astype(dtype)
    out = np.empty(x.shape, dtype)
    assert core.widen(LAYOUTS[layout](x), out, 1.0) is False
    np.testing.assert_array_equal(out, expected)
    there = ~np.isnan(expected)
    assert_same_bits(out[there], expected[there])


def test_the_first_number_that_is_too_large():
    """Halfway between the largest float32 and 2^128 a double is rounded up, to infinity; below it is not."""
    limit = 2.0**128 - 2.0**103
    x, out = np.zeros((3, 4)), np.empty((3, 4), "float32")
    x[1, 2] = np.nextafter(limit, 0)
    assert core.widen(x, out, 1.0) is False
    assert out[1, 2] == np.finfo("float32").max
    for number in (limit, -limit, 1e300):
        x[1, 2] = number
        assert core.widen(x, out, 1.0) is True
    for other in (np.float32(np.inf), np.nan):
        x[1, 2] = other
        assert core.widen(x, out, 1.0) is False
    x[1, 2] = 1e300
    assert core.widen(x, np.empty((3, 4)), 1.0) is False


# -- networks and trainers ---------------------------------------------------------------------------------------------


@EVERY_KIND
def test_a_network_converts_x(kind, dtype, backend):
    x = KINDS[kind](GRID)
    before, net = as_before(x, dtype), make(dtype).net
    g = np.ones((ROWS, 2), dtype)
    assert_same_bits(net(x), net(before))
    net(before)
    expected = net.backward(g)
    net(x)
    assert_same_bits(net.backward(g), expected)
    assert_same_bits(net.input_gradient(x, LABELS, nn.CrossEntropyLoss()),
                     net.input_gradient(before, LABELS, nn.CrossEntropyLoss()))  # fmt: skip
    for name, y in net.activations(x).items():
        assert_same_bits(y, net.activations(before)[name])
    for call in (net.predict, net.eval(), net[0]):
        y = call(x)
        assert y.dtype == dtype
        assert_same_bits(y, call(before))
        if isinstance(x, np.ndarray):
            assert_same_bits(call(x[3]), call(before[3]))  # one sample, without an axis of rows
            assert_same_bits(call(x.reshape(4, 10, 12)), y.reshape(4, 10, -1))
            assert call(x[:0]).shape == (0, y.shape[1])


@EVERY_KIND
@pytest.mark.parametrize("shuffle", [True, False])
def test_a_trainer_converts_x(kind, shuffle, dtype, backend):
    x = KINDS[kind](GRID)
    trainers = make(dtype), make(dtype)
    for trainer, rows in zip(trainers, (x, as_before(x, dtype)), strict=True):
        trainer.fit(rows, LABELS, epochs=2, batch_size=16, shuffle=shuffle, validation_split=0.2, progress=False)
        trainer.step(rows, LABELS)
        trainer.scores = trainer.evaluate(rows, LABELS)
    assert bits(trainers[0]) == bits(trainers[1])
    assert trainers[0].scores == trainers[1].scores


LOSSES = nn.MSELoss(), nn.RMSELoss(), nn.CosineSimilarityLoss(), nn.PoissonNLLLoss()


@EVERY_KIND
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_trainer_converts_targets(kind, loss, dtype, backend):
    """Of an autoencoder, whose targets are as large as its inputs."""
    x = KINDS[kind](GRID)
    trainers = make(dtype, loss, 12), make(dtype, loss, 12)
    for trainer, rows in zip(trainers, (x, as_before(x, dtype)), strict=True):
        trainer.fit(rows, rows, epochs=2, batch_size=16, validation_split=0.2, progress=False)
        trainer.fit(rows, rows, batch_size=16, shuffle=False, accumulate=2, progress=False)
        trainer.step(rows, rows)
        trainer.scores = trainer.evaluate(rows, rows)
    assert bits(trainers[0]) == bits(trainers[1])
    assert trainers[0].scores == trainers[1].scores


@pytest.mark.parametrize("kind", ["float64", "uint8", "Fortran order"])
def test_mixed_rows_are_converted(kind, dtype, backend):
    x = KINDS[kind](GRID)
    for targets, loss, n_out in ((LABELS, None, 2), (x, nn.MSELoss(), 12)):
        trainers = make(dtype, loss, n_out), make(dtype, loss, n_out)
        for trainer, before in zip(trainers, (False, True), strict=True):
            rows = as_before(x, dtype) if before else x
            y = as_before(x, dtype) if before and targets is x else targets
            trainer.fit(rows, y, epochs=2, batch_size=16, transform=fastnn.data.Mixup(), progress=False)
        assert bits(trainers[0]) == bits(trainers[1])


@pytest.mark.parametrize("threads", [1, 2])
def test_the_bits_are_the_same_over_threads(threads):
    x = np.random.default_rng(0).standard_normal((300, 12))
    with fastnn.set_num_threads(threads):
        trainer = make("float32")
        trainer.fit(np.asfortranarray(x), np.resize(LABELS, 300), batch_size=256, epochs=2, progress=False)
    before = make("float32")
    before.fit(x.astype("float32"), np.resize(LABELS, 300), batch_size=256, epochs=2, progress=False)
    assert bits(trainer) == bits(before)


def test_x_and_y_of_different_dtypes(backend):
    trainers = [make("float32", nn.MSELoss(), 12) for _ in range(2)]
    trainers[0].fit(GRID, GRID.astype("float32"), epochs=2, progress=False)
    trainers[1].fit(GRID.astype("float32"), GRID, epochs=2, progress=False)
    assert bits(trainers[0]) == bits(trainers[1])


@pytest.mark.parametrize(("dtype_of_x", "scaled"), [("uint8", 1), ("int64", 1), ("float16", 1), ("bool", 0), ("f8", 0)])
def test_integers_and_float16_are_scaled(dtype_of_x, scaled, backend):
    net = make("float32", input_scale=0.25).net
    x = GRID.astype(dtype_of_x)
    before = x.astype("float32") * np.float32(0.25 if scaled else 1)
    for call in (net, net.predict):
        assert_same_bits(call(x), call(before))


@pytest.mark.parametrize("kind", ["float64", "uint8"])
def test_memory_stays_that_of_a_batch(kind, tmp_path):
    """x and y are mapped, 20 MB and more; a copy of them would be as large."""
    shape = (200_000, 12)
    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", kind, shape)
    x[...] = np.arange(12) % 3
    trainer = make("float32", nn.MSELoss(), 12)
    trainer.fit(x[:64], x[:64], progress=False)
    trainer.net.predict(x[:1000])
    rows = np.arange(0, len(x), 2)  # of a part of the columns, in another layout
    calls = (
        lambda: trainer.fit(x, x, batch_size=4096, shuffle=False, progress=False),
        lambda: trainer.fit(x[::2, ::-1], x[rows[0] :: 2], batch_size=4096, shuffle=False, progress=False),
        lambda: trainer.evaluate(x, x),
    )
    for call in calls:
        tracemalloc.start()
        call()
        assert tracemalloc.get_traced_memory()[1] < 1.5e6
        tracemalloc.stop()


# -- labels ------------------------------------------------------------------------------------------------------------

LABEL_KINDS = {
    **{dtype: lambda y, dtype=dtype: y.astype(dtype) for dtype in REAL},
    "list": lambda y: y.tolist(),
    "column": lambda y: y.reshape(-1, 1),
    "column of floats": lambda y: y.reshape(-1, 1).astype("float32"),
    "strided": lambda y: np.repeat(y, 2)[::2],
}
CLASS_LOSSES = nn.CrossEntropyLoss(), nn.NLLLoss(), nn.SoftmaxFocalLoss(), nn.MultiMarginLoss()


@pytest.mark.parametrize("kind", LABEL_KINDS)
@pytest.mark.parametrize("loss", CLASS_LOSSES, ids=repr)
def test_class_labels(kind, loss, dtype, backend):
    y, x = LABEL_KINDS[kind](LABELS), GRID.astype(dtype)
    trainers = make(dtype, loss), make(dtype, loss)
    scores = []
    for trainer, labels in zip(trainers, (y, LABELS), strict=True):
        trainer.fit(x, labels, epochs=2, validation_split=0.2, class_weight="balanced", progress=False)
        scores.append((trainer.step(x, labels), trainer.evaluate(x, labels)))
    assert bits(trainers[0]) == bits(trainers[1])
    assert scores[0] == scores[1]
    outputs = trainers[0].net.predict(x)
    (value, grad), (expected, expected_grad) = loss(outputs, y), loss(outputs, LABELS)
    assert value == expected
    assert_same_bits(grad, expected_grad)


@pytest.mark.parametrize("bad", [0.5, np.nan, np.inf, 1e300])
def test_labels_that_are_no_whole_numbers_are_named(bad, backend):
    trainer, y = make("float32"), LABELS.astype("float64")
    y[7] = bad
    for shape in ((-1,), (-1, 1)):
        for call in (trainer.step, trainer.evaluate, trainer.fit):
            with pytest.raises(ValueError, match=r"y\[7\] is .*: class indices must be whole numbers"):
                call(GRID, y.reshape(shape))
    with pytest.raises(ValueError, match=r"target\[7\] is .*: class indices must be whole numbers"):
        nn.CrossEntropyLoss()(np.zeros((ROWS, 2)), y)


# -- what is too large, or no number -----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [(0, 0), (29, 3)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_that_are_too_large_are_named(place, order, backend):
    x = np.array(GRID, order=order)
    x[place] = -1e300
    trainer, y = make("float32", nn.MSELoss(), 12), GRID
    message = rf"x\[{place[0]}, {place[1]}\] is -1e\+300, too large for float32, whose largest number is 3.4e\+38"
    calls = trainer.net, trainer.net.predict, trainer.net.activations
    before = trainer.net.state_dict()
    for call in (*calls, *(lambda x, run=run: run(x, y) for run in (trainer.step, trainer.evaluate, trainer.health))):
        with pytest.raises(ValueError, match=message):
            call(x)
    for name in ("step", "evaluate"):
        with pytest.raises(ValueError, match=message.replace("x", "y", 1)):
            getattr(trainer, name)(y, x)
    assert all(np.array_equal(value, before[name]) for name, value in trainer.net.state_dict().items())
    for options in ({}, {"shuffle": False}, {"transform": fastnn.data.Mixup()}, {"batch_size": 8, "accumulate": 2}):
        with pytest.raises(ValueError, match=message):
            trainer.fit(x, y, progress=False, **options)
        with pytest.raises(ValueError, match=message.replace("x", "y", 1)):
            trainer.fit(y, x, progress=False, **options)
    assert np.isfinite(trainer.net.parameters().data).all()
    with pytest.raises(ValueError, match=r"target\[.*\] is -1e\+300, too large for float32"):
        nn.MSELoss()(GRID.astype("float32"), x)
    make("float64", nn.MSELoss(), 12).step(GRID / 7, x / 1e200)


def test_infinities_are_named_as_before(backend):
    x = GRID.copy()
    x[3, 2] = np.inf
    net = nn.Sequential(nn.Linear(12, 2), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()))
    for order in "CF":
        with pytest.raises(ValueError, match=r"x\[3, 2\] is inf: x must be finite"):
            trainer.step(np.array(x, order=order), LABELS)


class Tensor:
    """A tensor of another library that has a gradient, or lies on another device."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")


def test_what_another_library_refuses_is_said():
    for call in (make("float32").net, lambda x: make("float32").step(x, LABELS)):
        with pytest.raises(TypeError, match=r"x must be an array, got Tensor: Can't call .* Use tensor.detach\(\)"):
            call(Tensor())


# -- tables ------------------------------------------------------------------------------------------------------------


class Table:
    """What of a DataFrame with columns of several dtypes is looked at."""

    def __init__(self, **columns):
        self._columns, self.columns = columns, list(columns)

    def __getitem__(self, name):
        return self._columns[name]

    def __array__(self, dtype=None, copy=None):
        columns = [np.asarray(column) for column in self._columns.values()]
        common = np.result_type(*columns) if all(c.dtype.kind in "iuf" for c in columns) else object
        return np.array(np.column_stack([c.astype(common) for c in columns]), dtype)

    def __len__(self):
        return len(self._columns[self.columns[0]])


MIXED = {"age": LABELS * 30, "height": GRID[:, 0] / 3, "member": LABELS == 1}


def small(**options):
    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.01))


@pytest.mark.parametrize("names", [["age", "height"], ["age", "height", "member"]])
def test_columns_of_several_dtypes(names, backend):
    chosen = {name: MIXED[name] for name in names}
    net = nn.Sequential(nn.Linear(len(names), 2), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.01))
    plain = np.column_stack(list(chosen.values())).astype("float32")
    trainer.fit(Table(**chosen), LABELS, epochs=2, progress=False)
    assert net.feature_names == tuple(names)
    assert_same_bits(net.predict(Table(**chosen)), net.predict(plain))
    others = {name: np.asarray(column, "float32") for name, column in chosen.items()}
    assert_same_bits(net.predict(Table(**others)), net.predict(plain))  # the names count, not the dtypes
    for run in (net, net.predict, lambda x: trainer.evaluate(x, LABELS)):
        with pytest.raises(ValueError, match="columns in another order than"):
            run(Table(**dict(reversed(others.items()))))


@pytest.mark.parametrize(
    ("column", "held"),
    [
        (np.array(["red"] * ROWS, object), "'red' in it"),
        (np.array([1.0, None] * (ROWS // 2), object), "None in it"),
        (np.zeros(ROWS, "M8[s]"), r"datetime64\[s\] of shape"),
        (np.zeros(ROWS, complex), "complex128 of shape"),
    ],
)
def test_a_column_without_numbers_is_named(column, held):
    table = Table(**(MIXED | {"height": column}))
    for call in (small().net, lambda x: small().fit(x, LABELS)):
        with pytest.raises(TypeError, match=rf"column 'height' of x must hold numbers, got {held}"):
            call(table)


def test_pandas(backend):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(MIXED)
    plain = np.column_stack(list(MIXED.values())).astype("float32")
    trainer = small()
    trainer.fit(frame, pandas.Series(LABELS == 1), epochs=2, progress=False)
    for table in (frame, frame.astype("float32"), frame.astype({"age": "Int64"}), frame.astype("float64")):
        assert_same_bits(trainer.net.predict(table), trainer.net.predict(plain))
    for y in (pandas.Series(LABELS), pandas.Series(LABELS, dtype="Int64"), pandas.DataFrame({"y": LABELS})):
        assert trainer.evaluate(frame, y) == trainer.evaluate(plain, LABELS)
    with pytest.raises(ValueError, match="columns in another order than"):
        trainer.net.predict(frame[["height", "age", "member"]])
    with pytest.raises(TypeError, match="column 'age' of x must hold numbers, got 'old' in it"):
        trainer.net.predict(frame.assign(age="old"))
