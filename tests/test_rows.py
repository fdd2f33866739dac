"""Inputs of uint8 and float16: widened in compiled code, batch by batch, to the bits of NumPy's conversion."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn._core import rows as core
from fastnn.reference.rows import widen
from fastnn.testing.measure import assert_same_bits
from support.resumable import bits, data, make_trainer

EVERYTHING = {"uint8": np.arange(256, dtype="uint8"), "float16": np.arange(2**16, dtype="uint16").view("float16")}


@pytest.mark.parametrize("scale", [1.0, 1 / 255, -3.0])
@pytest.mark.parametrize("narrow", EVERYTHING)
def test_every_number_is_widened_as_by_numpy(narrow, scale, dtype):
    x = EVERYTHING[narrow]
    expected = widen(x, dtype, scale)
    assert_same_bits(expected[:5], x[:5].astype(dtype) * dtype.type(scale))
    for part in (x, x[1:], x[5:8], x[:0]):
        out = np.empty(part.shape, dtype)
        core.widen(np.ascontiguousarray(part), out, scale)
        np.testing.assert_array_equal(out, widen(part, dtype, scale))
        finite = np.isfinite(out)
        assert_same_bits(out[finite], widen(part, dtype, scale)[finite])


def narrow_data(narrow, rows=120):
    x, y, weight = data(rows=rows)
    return (x * 50 + 128).clip(0, 255).astype(narrow), y, weight


def trainer_of(dtype, scale=0.01):
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3), seed=1, dtype=dtype, input_scale=scale)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("narrow", EVERYTHING)
def test_narrow_data_train_as_wide_ones(narrow, shuffle, dtype, backend):
    x, y, weight = narrow_data(narrow)
    wide = widen(x, dtype, 0.01)
    trainer, whole = trainer_of(dtype), trainer_of(dtype)
    settings = {"epochs": 3, "batch_size": 16, "shuffle": shuffle, "validation_split": 0.2, "sample_weight": weight}
    for one, rows in ((trainer, x), (whole, wide)):
        one.fit(rows, y, **settings)
    assert bits(trainer) == bits(whole)
    assert trainer.evaluate(x, y) == whole.evaluate(wide, y)
    assert trainer.step(x[:5], y[:5]) == whole.step(wide[:5], y[:5])
    assert_same_bits(trainer.net.predict(x), whole.net.predict(wide))
    assert_same_bits(trainer.net.predict(x[::-2, ::1]), whole.net.predict(wide[::-2]))
    assert bits(trainer)[0] == bits(whole)[0]


@pytest.mark.parametrize("narrow", EVERYTHING)
def test_narrow_memmaps_and_streams(narrow, tmp_path):
    x, y, _ = narrow_data(narrow)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    whole = trainer_of("float32")
    whole.fit(x, y, epochs=2, shuffle=False)
    for source in ((mapped, y), (lambda: fastnn.data.batches(mapped, y, batch_size=32),)):
        trainer = trainer_of("float32")
        trainer.fit(*source, epochs=2, shuffle=False)
        assert bits(trainer) == bits(whole)
    trainer_of("float32").fit(fastnn.data.Shards.write(tmp_path / "shards", x, y, rows=50))
    assert_same_bits(whole.net.predict(mapped), whole.net.predict(x))


def test_a_loss_in_python_sees_narrow_data(backend):
    x, y, _ = narrow_data("uint8")

    def loss(y_pred, y):
        return nn.CrossEntropyLoss()(y_pred, y)

    trainers = [trainer_of("float32") for _ in range(2)]
    for trainer, function in zip(trainers, (loss, nn.CrossEntropyLoss()), strict=True):
        trainer.loss = function
        trainer.fit(x, y, epochs=2, shuffle=False)
    np.testing.assert_allclose(trainers[0].net.parameters().data, trainers[1].net.parameters().data, rtol=1e-5)


def test_the_scale_is_part_of_the_model(tmp_path):
    x, _, _ = narrow_data("uint8")
    net = trainer_of("float32", 1 / 255).net
    net.save(tmp_path / "net")
    twin = fastnn.load(tmp_path / "net")
    assert twin.input_scale == 1 / 255
    assert_same_bits(twin.predict(x), net.predict(x))
    with pytest.raises(ValueError, match="input_scale must be a number, got nan"):
        nn.Sequential(input_scale=float("nan"))
    with pytest.raises(TypeError, match="input_scale must be a number"):
        nn.Sequential(input_scale="1/255")


def test_what_is_no_real_number_of_64_bits_is_refused():
    trainer, y = make_trainer(), np.zeros(3, int)
    for dtype in (">f2", "complex64", "longdouble", "U1", object, "M8[s]"):
        for call in (trainer.net, trainer.net.predict, lambda x: trainer.fit(x, y)):
            with pytest.raises(
                TypeError, match=r"x must be (float32 or float64|in native byte order|of at most 64 bits)"
            ):
                call(np.zeros((3, 6), dtype))
    x = np.zeros((3, 6), "float16")
    x[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"x\[1, 2\] is nan"):
        trainer.fit(x, y)


def test_narrow_inputs_are_mixed_as_wide_ones(dtype, backend):
    x, y, _ = narrow_data("uint8")
    trainers = trainer_of(dtype), trainer_of(dtype)
    for trainer, rows in zip(trainers, (x, widen(x, dtype, 0.01)), strict=True):
        trainer.fit(rows, y, epochs=2, batch_size=16, transform=fastnn.data.Mixup())
    assert bits(trainers[0]) == bits(trainers[1])


def test_narrow_inputs_stay_scaled_when_folded():
    x, _, _ = narrow_data("uint8")
    net = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3), seed=0, input_scale=0.01)
    folded = net.eval().fold()
    assert folded.input_scale == 0.01
    np.testing.assert_allclose(folded.predict(x), net.predict(x), rtol=1e-4, atol=1e-5)
