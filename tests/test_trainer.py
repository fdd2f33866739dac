"""The trainer: it computes what the explicit loop computes, bit for bit."""

import math
import random
import signal
import threading

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim

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


def test_fit_goes_on_where_the_one_before_stopped():
    """Two epochs are one and one, where the order of the samples is the same; dropout goes on in its stream."""
    net, trainer, x, y = make()
    twin, twin_trainer, *_ = make()
    trainer.fit(x, y, epochs=2, batch_size=8, shuffle=False)
    for _ in range(2):
        twin_trainer.fit(x, y, epochs=1, batch_size=8, shuffle=False)
    assert weights(net) == weights(twin)


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


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers that send signals")
def test_a_signal_at_any_time_leaves_a_trainer_that_can_be_used():
    """No epoch is counted by half, and the trainer is never taken for one that is within a fit."""

    def interrupt(*_):
        raise KeyboardInterrupt

    net, trainer, x, y = make()
    trainer.fit(x, y, batch_size=8)
    draw, before = random.Random(0), signal.signal(signal.SIGALRM, interrupt)
    ends, batches = set(), -(-N // 8)
    try:
        for _ in range(2000):
            before_it, epochs, tick = trainer.history, trainer.engine.epochs, int(net._tick[0])
            try:
                signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-6, draw.choice((1e-4, 5e-4))))
                trainer.fit(x, y, epochs=3, batch_size=8)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                pass
            assert trainer.run is None
            assert trainer.optimizer.step_count == net._tick
            history = trainer.history
            if history is not before_it:
                assert trainer.engine.epochs == epochs + history.epochs
                assert 0 <= int(net._tick[0]) - tick - batches * history.epochs <= batches
            ends.add("within" if history is not before_it and history.interrupted else "without")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert ends == {"within", "without"}
    trainer.fit(x, y)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers that send signals")
def test_several_signals_at_once_leave_a_trainer_that_can_be_used():
    """The best parameters are restored as a whole or not at all, and the records are all there."""
    net, trainer, x, y = make()
    draw, left = random.Random(0), []

    def interrupt(*_):
        if left and left.pop():  # one more may be on its way from the round before
            signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-6, 1e-4))
        if trainer.run is not None:  # not when the test goes on already
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(300):
            stopping = fastnn.callbacks.EarlyStopping("loss", patience=10**6)
            left[:] = [False, True, True]
            try:
                signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-3, 4e-3))
                trainer.fit(x, y, epochs=10**6, batch_size=8, callbacks=[stopping])
            except KeyboardInterrupt:
                pass
            signal.setitimer(signal.ITIMER_REAL, 0)
            assert trainer.run is None
            assert trainer.optimizer.step_count == net._tick
            assert np.isfinite(net.parameters().data).all()
            assert len(set(map(len, trainer.history.records.values()))) <= 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert np.isfinite(trainer.fit(x, y)["loss"]).all()


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


@pytest.mark.parametrize("backend", ["native", "reference"])
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


def test_the_repr_of_a_trainer_names_its_parts():
    _, trainer, *_ = make()
    for part in ("CrossEntropyLoss(reduction='mean'", "Adam(lr=0.05", "Dropout(p=0.25)", "75 parameters, float64"):
        assert part in repr(trainer)
