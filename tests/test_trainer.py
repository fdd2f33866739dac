"""The trainer: it computes what the explicit loop computes, in the documented order, and records it exactly."""

import io
import math
import threading

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn.reference.random import permutation

N, FEATURES, CLASSES = 37, 5, 3


def scaled_difference(y_pred, y):
    """A loss as a user writes one: half the squared error, summed."""
    difference = y_pred - y
    return 0.5 * float((difference**2).sum()), difference


class Scale(nn.Module):
    """A layer as a user writes one: the example of Module's docstring."""

    def __init__(self):
        super().__init__()
        self.add_parameter("factor", (1,), init=1.5)

    def forward(self, x):
        self.x = x.copy()
        return self["factor"] * x

    def backward(self, grad_output):
        self.gradient("factor")[...] += (grad_output * self.x).sum()
        return self["factor"] * grad_output


def values(rng, dtype):
    return rng.standard_normal((N, CLASSES)).astype(dtype)


def labels(kind):
    return lambda rng, dtype: rng.integers(0, CLASSES, N).astype(kind)


def bits(*shape):
    return lambda rng, dtype: rng.integers(0, 2, shape).astype(dtype)


def signs(rng, dtype):
    return 2 * bits(N, CLASSES)(rng, dtype) - 1


def labels_as_counts(rng, dtype):
    return rng.integers(0, 5, (N, CLASSES)).astype(dtype)


def one_hot(rng, dtype):
    return np.eye(CLASSES, dtype=dtype)[rng.integers(0, CLASSES, N)]


def soft(rng, dtype):
    return F.softmax(values(rng, dtype))


# loss, what ends the network, the target
CASES = {
    "mse": (nn.MSELoss(), [], values),
    "mse_sum": (nn.MSELoss("sum"), [], values),
    "mse_one_output": (nn.MSELoss(), [nn.Linear(CLASSES, 1)], lambda rng, dtype: values(rng, dtype)[:, 0]),
    "mse_of_integers": (nn.MSELoss(), [], lambda rng, dtype: rng.integers(0, 9, (N, CLASSES))),
    "rmse": (nn.RMSELoss(), [], values),
    "l1": (nn.L1Loss(), [], values),
    "huber": (nn.HuberLoss(delta=0.5), [], values),
    "smooth_l1": (nn.SmoothL1Loss("sum", beta=0.5), [], values),
    "bce": (nn.BCELoss(), [nn.Linear(CLASSES, 1), nn.Sigmoid()], bits(N)),
    "bce_many_outputs": (nn.BCELoss(), [nn.Sigmoid()], bits(N, CLASSES)),
    "bce_logits": (nn.BCEWithLogitsLoss(), [], bits(N, CLASSES)),
    "cross_entropy_int64": (nn.CrossEntropyLoss(), [], labels("int64")),
    "cross_entropy_int32": (nn.CrossEntropyLoss("sum"), [], labels("int32")),
    "cross_entropy_uint8": (nn.CrossEntropyLoss(label_smoothing=0.1), [], labels("uint8")),
    "cross_entropy_one_hot": (nn.CrossEntropyLoss(), [], one_hot),
    "cross_entropy_soft": (nn.CrossEntropyLoss(label_smoothing=0.1), [], soft),
    "nll": (nn.NLLLoss(), [nn.LogSoftmax()], labels("int64")),
    "bce_pos_weight": (nn.BCEWithLogitsLoss(pos_weight=[0.5, 2.0, 3.0]), [], bits(N, CLASSES)),
    "focal": (nn.FocalLoss(), [], bits(N, CLASSES)),
    "hinge": (nn.HingeLoss(squared=True), [], signs),
    "soft_margin": (nn.SoftMarginLoss(), [], signs),
    "quantile": (nn.QuantileLoss(q=(0.1, 0.5, 0.9)), [], values),
    "cosine": (nn.CosineSimilarityLoss(), [], values),
    "poisson": (nn.PoissonNLLLoss(), [], labels_as_counts),
    "kl_div": (nn.KLDivLoss("batchmean"), [nn.LogSoftmax()], soft),
    "gaussian": (nn.GaussianNLLLoss(), [nn.Linear(CLASSES, 2)], lambda rng, dtype: values(rng, dtype)[:, :1]),
    "cross_entropy_weight": (nn.CrossEntropyLoss(weight=[0.5, 2.0, 1.0], ignore_index=1), [], labels("int64")),
    "cross_entropy_weight_soft": (nn.CrossEntropyLoss(weight=[0.5, 2.0, 1.0]), [], soft),
    "nll_weight": (nn.NLLLoss("sum", weight=[0.5, 2.0, 1.0]), [nn.LogSoftmax()], labels("int64")),
    "softmax_focal": (nn.SoftmaxFocalLoss(weight=[0.5, 2.0, 1.0], ignore_index=0), [], labels("int64")),
    "multi_margin": (nn.MultiMarginLoss(p=2, weight=[0.5, 2.0, 1.0], ignore_index=0), [], labels("int64")),
    "python": (scaled_difference, [], values),
}
OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "dampening": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1),
    "rmsprop": lambda p: optim.RMSprop(p, centered=True, momentum=0.5),
    "adam": lambda p: optim.Adam(p, lr=0.05),
    "adamw": lambda p: optim.AdamW(p, lr=0.05, amsgrad=True),
}


def make(case="cross_entropy_int64", optimizer="adam", dtype="float64", layers=(), seed=3):
    """A network, its trainer, and data for them."""
    loss, end, target = CASES[case]
    # The table's layers are only patterns: a layer stands in one network.
    end = [
        nn.Linear(layer.in_features, layer.out_features) if isinstance(layer, nn.Linear) else type(layer)()
        for layer in end
    ]
    hidden = [nn.Linear(FEATURES, 8), nn.Tanh(), nn.Dropout(0.25), *layers, nn.Linear(8, CLASSES)]
    net = nn.Sequential(*hidden, *end, seed=seed, dtype=dtype)
    trainer = fastnn.Trainer(net, loss=loss, optimizer=OPTIMIZERS[optimizer](net.parameters()))
    rng = np.random.default_rng(7)
    x = rng.standard_normal((N, FEATURES)).astype(dtype)
    return net, trainer, x, target(rng, net.dtype)


def loop_step(net, trainer, x, y, *weight):
    """One step, written out."""
    y_pred = net(x)
    target = y.astype(x.dtype).reshape(y_pred.shape) if isinstance(trainer.loss, nn.MSELoss) else y
    target = target.reshape(y_pred.shape) if isinstance(trainer.loss, nn.BCELoss) else target
    loss, grad = trainer.loss(y_pred, target, *weight)
    net.backward(grad)
    trainer.optimizer.step()
    trainer.optimizer.zero_grad()
    return loss


def weights(net):
    return net.parameters().data.tobytes()


def assert_steps_equal_the_loop(dtype, **kind):
    net, trainer, x, y = make(dtype=dtype, **kind)
    twin, twin_trainer, *_ = make(dtype=dtype, **kind)
    start = weights(net)
    for first, stop in ((0, 20), (20, 37), (0, 37), (5, 6)):
        batch = x[first:stop], y[first:stop]
        rounded = x.dtype.type  # the loop's loss has the dtype of the network, the step's is a float
        np.testing.assert_equal(rounded(trainer.step(*batch)), rounded(loop_step(twin, twin_trainer, *batch)))
        assert weights(net) == weights(twin)
    assert weights(net) != start


@pytest.mark.parametrize("case", CASES)
def test_step_has_the_bits_of_the_loop_for_every_loss(case, dtype):
    assert_steps_equal_the_loop(dtype.name, case=case)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_step_has_the_bits_of_the_loop_for_every_optimizer(optimizer, dtype):
    assert_steps_equal_the_loop(dtype.name, optimizer=optimizer)


def test_step_has_the_bits_of_the_loop_with_a_layer_in_python(dtype):
    net, trainer, x, y = make(dtype=dtype.name, layers=[Scale()])
    twin, twin_trainer, *_ = make(dtype=dtype.name, layers=[Scale()])
    for _ in range(5):
        trainer.step(x, y)
        loop_step(twin, twin_trainer, x, y)
    assert weights(net) == weights(twin)
    assert net["3.factor"] != 1.5


@pytest.mark.parametrize("case", ["mse_sum", "bce_logits", "cross_entropy_int64", "cross_entropy_soft", "python"])
def test_step_has_the_bits_of_the_loop_with_sample_weights(case):
    net, trainer, x, y = make(case, optimizer="sgd")
    twin, twin_trainer, *_ = make(case, optimizer="sgd")
    if case == "python":
        for t in (trainer, twin_trainer):
            t.loss.function = weighted_difference
    weight = np.random.default_rng(1).uniform(0, 2, N)
    for _ in range(3):
        assert trainer.step(x, y, weight) == loop_step(twin, twin_trainer, x, y, weight)
    assert weights(net) == weights(twin)


def weighted_difference(y_pred, y, sample_weight):
    difference = y_pred - y
    return 0.5 * float((sample_weight[:, None] * difference**2).sum()), sample_weight[:, None] * difference


@pytest.mark.parametrize("case", ["cross_entropy_int64", "cross_entropy_one_hot", "mse_one_output", "python"])
@pytest.mark.parametrize("batch_size", [None, 1, 8, N - 1, N, N + 100])
def test_fit_is_the_steps_in_the_order_of_the_permutation(case, batch_size):
    net, trainer, x, y = make(case)
    twin, twin_trainer, *_ = make(case)
    history = trainer.fit(x, y, epochs=2, batch_size=batch_size, seed=11)
    size = min(N, batch_size or N)
    for epoch in range(2):
        order = permutation(11, epoch, N)
        losses = [
            (twin_trainer.step(x[rows], y[rows]), len(rows))
            for rows in (order[i : i + size] for i in range(0, N, size))
        ]
        total = sum(loss * rows for loss, rows in losses)
        assert history["loss"][epoch] == pytest.approx(total / N)
    assert weights(net) == weights(twin)


def test_fit_without_shuffling_takes_the_samples_as_they_come():
    net, trainer, x, y = make()
    twin, twin_trainer, *_ = make()
    trainer.fit(x, y, epochs=2, batch_size=10, shuffle=False)
    for start in (0, 10, 20, 30) * 2:
        twin_trainer.step(x[start : start + 10], y[start : start + 10])
    assert weights(net) == weights(twin)


def test_fit_shuffles_by_the_seed_of_the_network_unless_told():
    net, trainer, x, y = make()
    twin, twin_trainer, *_ = make()
    other, other_trainer, *_ = make()
    trainer.fit(x, y, epochs=2, batch_size=10)
    twin_trainer.fit(x, y, epochs=2, batch_size=10, seed=net.seed)
    other_trainer.fit(x, y, epochs=2, batch_size=10, seed=net.seed + 1)
    assert weights(net) == weights(twin) != weights(other)


def test_fit_goes_on_where_the_one_before_stopped():
    """Two epochs are one and one, where the order of the samples is the same; dropout goes on in its stream."""
    net, trainer, x, y = make()
    twin, twin_trainer, *_ = make()
    trainer.fit(x, y, epochs=2, batch_size=8, shuffle=False)
    for _ in range(2):
        twin_trainer.fit(x, y, epochs=1, batch_size=8, shuffle=False)
    assert weights(net) == weights(twin)


def test_history_has_a_value_an_epoch():
    _, trainer, x, y = make()
    history = trainer.fit(x, y, epochs=3, validation_data=(x, y))
    assert list(history) == ["loss", "accuracy", "seconds", "val_loss", "val_accuracy"]
    assert history.epochs == 3
    assert all(len(history[name]) == 3 for name in history)
    assert all(0 < seconds < 60 for seconds in history["seconds"])
    assert history.last == {name: history[name][2] for name in history}
    assert not history.interrupted
    assert repr(history).startswith("History(3 epochs: loss=")
    with pytest.raises(KeyError, match=r"no record 'lr'; there are loss, accuracy, seconds"):
        history["lr"]


def test_history_of_no_epochs_and_of_a_regression():
    net, trainer, x, y = make("mse")
    start = weights(net)
    history = trainer.fit(x, y, epochs=0)
    assert (history.epochs, list(history), weights(net)) == (0, [], start)
    assert repr(history) == "History(0 epochs)"
    assert list(trainer.fit(x, y)) == ["loss", "seconds"]


@pytest.mark.parametrize("case", [name for name in CASES if name != "python"])
@pytest.mark.parametrize("weighted", [False, True])
def test_records_are_exact_over_uneven_batches(case, weighted):
    """With lr = 0 the records of training, evaluation and validation are those of all samples at once."""
    _, trainer, x, y = make(case)
    trainer.net.layers[2].p = 0.0
    trainer.optimizer.lr = 0.0
    weight = np.random.default_rng(2).uniform(0, 3, N) if weighted else None
    y_pred = trainer.net.predict(x)
    target = y if y.dtype.kind in "iu" and trainer.loss.classes else y.astype(x.dtype)
    target = target.reshape(N, -1) if target.dtype == x.dtype else target
    expected, _ = trainer.loss(y_pred, target, weight)
    history = trainer.fit(x, y, batch_size=10, sample_weight=weight, validation_data=(x, y, weight), epochs=2)
    scores = trainer.evaluate(x, y, sample_weight=weight, batch_size=7)
    for value in (*history["loss"], *history["val_loss"], scores["loss"]):
        assert value == pytest.approx(expected, rel=1e-12)
    hits = right(trainer.loss, y_pred, target, weight)
    for value in (*history.records.get("accuracy", ()), *history.records.get("val_accuracy", ())):
        assert value == pytest.approx(hits, rel=1e-14)
    assert ("accuracy" in list(history)) == (hits is not None)
    assert scores.get("accuracy") == (None if hits is None else pytest.approx(hits, rel=1e-14))


def right(loss, y_pred, target, weight):
    """The accuracy by hand; None for a regression."""
    if loss.classes:
        counted = target != loss.params["ignore_index"] if target.ndim == 1 else np.full(N, True)
        hits = y_pred.argmax(1) == (target if target.ndim == 1 else target.argmax(1))
        return np.average(hits[counted], weights=None if weight is None else weight[counted])
    if loss.threshold is not None:
        return np.average(((y_pred > loss.threshold) == (target > 0.5)).mean(1), weights=weight)
    return None


def test_evaluate_of_no_samples_is_the_mean_of_nothing():
    _, trainer, x, y = make()
    scores = trainer.evaluate(x[:0], y[:0])
    assert math.isnan(scores["loss"])
    assert "accuracy" not in scores


@pytest.mark.parametrize("case", ["mse_sum", "cross_entropy_int32", "cross_entropy_one_hot", "bce_logits"])
def test_whole_weights_in_a_sum_repeat_samples_and_zeros_leave_them_out(case):
    net, trainer, x, y = make(case, optimizer="sgd")
    twin, twin_trainer, *_ = make(case, optimizer="sgd")
    for network in (net, twin):
        network.layers[2].p = 0.0
    times = np.arange(N) % 3 if trainer.loss.reduction == "sum" else np.arange(N) % 2
    loss = trainer.step(x, y, times)
    assert loss == pytest.approx(twin_trainer.step(np.repeat(x, times, axis=0), np.repeat(y, times, axis=0)))
    np.testing.assert_allclose(net.parameters().data, twin.parameters().data, rtol=1e-12)


def test_sample_weights_follow_their_samples_when_shuffled():
    net, trainer, x, y = make()
    twin, twin_trainer, *_ = make()
    weight = np.random.default_rng(2).uniform(0, 3, N)
    trainer.fit(x, y, sample_weight=weight, batch_size=8, seed=1)
    order = permutation(1, 0, N)
    twin_trainer.fit(x[order], y[order], sample_weight=weight[order], batch_size=8, shuffle=False)
    assert weights(net) == weights(twin)


@pytest.mark.parametrize(("share", "kept"), [(0.25, 27), (0.5, 18), (0.01, 36)])
def test_validation_split_keeps_the_last_samples_without_shuffling(share, kept):
    net, trainer, x, y = make()
    twin, twin_trainer, *_ = make()
    weight = np.random.default_rng(2).uniform(0, 3, N)
    settings = {"batch_size": 8, "epochs": 2, "shuffle": False}
    history = trainer.fit(x, y, sample_weight=weight, validation_split=share, **settings)
    validation = x[kept:], y[kept:], weight[kept:]
    expected = twin_trainer.fit(x[:kept], y[:kept], sample_weight=weight[:kept], validation_data=validation, **settings)
    assert weights(net) == weights(twin)
    assert history["val_loss"] == expected["val_loss"]
    assert history["val_loss"][-1] == twin_trainer.evaluate(*validation[:2], sample_weight=validation[2])["loss"]


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_validation_split_of_sorted_labels_has_all_classes(backend):
    """As many of each class as its share, the same ones for the same seed, the rest trained on in place."""
    y = np.repeat(np.arange(3), (60, 30, 10))
    x = np.random.default_rng(0).standard_normal((100, 4)).astype("float32")
    seen = []
    with fastnn.use_backend(backend):
        for seed in (0, 0, 1):
            net = nn.Sequential(nn.Linear(4, 3), seed=0)
            trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1))
            train, held = trainer.engine.data(x, y).split(0.2, seed)
            assert (len(train), len(held)) == (80, 20)
            assert np.bincount(held.y).tolist() == [12, 6, 2]
            assert sorted(
                [*train.rows.tolist(), *(int(np.flatnonzero((x == row).all(1))[0]) for row in held.x)]
            ) == list(range(100))
            history = trainer.fit(x, y, epochs=2, batch_size=16, validation_split=0.2, seed=seed, progress=False)
            twin = nn.Sequential(nn.Linear(4, 3), seed=0)
            twin_trainer = fastnn.Trainer(twin, nn.CrossEntropyLoss(), optim.SGD(twin.parameters(), lr=0.1))
            expected = twin_trainer.fit(
                x[train.rows], y[train.rows], epochs=2, batch_size=16, seed=seed, validation_data=(held.x, held.y)
            )
            assert history["val_loss"] == expected["val_loss"]
            assert weights(net) == weights(twin)
            seen.append(held.x.tobytes())
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize(("share", "n", "count"), [(0.14, 50, 7), (0.07, 100, 7), (0.29, 100, 29), (0.1, 5, 1)])
def test_validation_split_rounds_decimal_shares(share, n, count):
    """0.07 * 100 is 7.000000000000001 in floating point."""
    _, trainer, *_ = make()
    x = np.zeros((n, trainer.net.in_features))
    for seed in (None, 0):
        train, held = trainer.engine.data(x, np.zeros((n, 3))).split(share, seed)
        assert (len(train), len(held)) == (n - count, count)


def test_a_second_fit_at_the_same_time_is_refused():
    _, trainer, x, y = make()

    class Inner(fastnn.callbacks.Callback):
        def on_epoch_end(self, run):
            trainer.fit(x, y)

    with pytest.raises(RuntimeError, match="this trainer is within a fit"):
        trainer.fit(x, y, callbacks=[Inner()])
    trainer.fit(x, y)
    refused = []

    class Threaded(fastnn.callbacks.Callback):
        def on_epoch_end(self, run):
            def fit():
                with pytest.raises(RuntimeError, match="this trainer is within a fit"):
                    trainer.fit(x, y)
                refused.append(True)

            thread = threading.Thread(target=fit)
            thread.start()
            thread.join()

    trainer.fit(x, y, epochs=2, callbacks=[Threaded()])
    assert refused == [True, True]


def test_evaluate_changes_nothing():
    net, trainer, x, y = make()
    twin, twin_trainer, *_ = make()
    for round_ in range(3):
        before = weights(net), net.parameters().grad.tobytes(), trainer.optimizer.step_count.tolist(), net.training
        scores = [trainer.evaluate(x, y, batch_size=size) for size in (5, 256)]
        assert scores[0]["loss"] == pytest.approx(scores[1]["loss"], rel=1e-13)
        after = weights(net), net.parameters().grad.tobytes(), trainer.optimizer.step_count.tolist(), net.training
        assert after == before
        assert trainer.step(x, y) == twin_trainer.step(x, y), f"dropout differs in step {round_}"
    assert weights(net) == weights(twin)


def test_one_target_a_sample_is_a_column():
    net, trainer, x, y = make("mse_one_output")
    twin, twin_trainer, *_ = make("mse_one_output")
    assert trainer.step(x, y) == twin_trainer.step(x, y[:, None])
    assert weights(net) == weights(twin)


@pytest.mark.parametrize("backend", fastnn._backend.BACKENDS)
@pytest.mark.parametrize("where", ["loss", "forward", "backward"])
def test_an_error_in_python_code_arrives_and_changes_nothing(where, backend):
    class Trouble(Exception):
        pass

    def fail(*_):
        raise Trouble(where)

    with fastnn.use_backend(backend):
        net, trainer, x, y = make("python", layers=[Scale()])
        trainer.step(x, y)
        before, ticks = weights(net), net._tick.tolist()
        target = trainer.loss if where == "loss" else net.layers[3]
        name = "function" if where == "loss" else where
        kept = getattr(target, name)
        setattr(target, name, fail)
        with pytest.raises(Trouble, match=where):
            trainer.step(x, y)
        assert (weights(net), net._tick.tolist()) == (before, ticks)
        setattr(target, name, kept)
        assert math.isfinite(trainer.step(x, y))


def test_a_bar_shows_epoch_loss_and_speed(capsys):
    net, trainer, x, y = make()
    twin, twin_trainer, *_ = make()
    trainer.fit(x, y, epochs=3, batch_size=2, progress=True, validation_data=(x, y))
    shown = capsys.readouterr()
    last = shown.err.split("\r")[-1]
    for part in ("epoch 3/3", "100%", "111/111", "samples/s", "loss=", "accuracy=", "val_loss="):
        assert part in last
    assert shown.out == ""
    twin_trainer.fit(x, y, epochs=3, batch_size=2, progress=False)
    assert weights(net) == weights(twin)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_shown_where_somebody_can_see_it(terminal, monkeypatch):
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr("sys.stderr", stream)
    _, trainer, x, y = make()
    trainer.fit(x, y)
    assert ("epoch 1/1" in stream.getvalue()) == terminal


def test_the_repr_of_a_trainer_names_its_parts():
    _, trainer, *_ = make()
    for part in ("CrossEntropyLoss(reduction='mean'", "Adam(lr=0.05", "Dropout(p=0.25)", "75 parameters, float64"):
        assert part in repr(trainer)
