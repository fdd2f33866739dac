"""What users do to networks besides training them: copy, pickle, fork amid a run, run from within, rearrange."""

import copy
import os
import pickle
import signal
import threading

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn.nn.embedding_losses import SeveralInputsLoss

LOSSES = {value for value in vars(nn).values() if isinstance(value, type) and issubclass(value, nn.Loss)}


def make(dtype="float32", seed=0, **options):
    net = nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.1), nn.Dropout(0.2), nn.Linear(8, 2), seed=seed, dtype=dtype)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.01, **options))


def data(rows=40, dtype="float32"):
    rng = np.random.default_rng(0)
    return rng.standard_normal((rows, 3)).astype(dtype), rng.integers(0, 2, rows)


def bits(trainer):
    return trainer.net.parameters().data.tobytes()


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))], ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("trained", [0, 3])
def test_a_copy_goes_on_alike_and_apart(clone, trained):
    x, y = data()
    trainer = make(amsgrad=True)
    trainer.fit(x, y, epochs=trained, seed=1)
    trainer.net(x)
    twin = clone(trainer)
    before = bits(trainer)
    twin.fit(x, y, epochs=2, seed=2)
    assert bits(trainer) == before != bits(twin)
    trainer.fit(x, y, epochs=2, seed=2)
    assert bits(trainer) == bits(twin)
    assert twin.net.layers[0].weight.base is not None
    np.testing.assert_array_equal(twin.net["0.weight"], twin.net.layers[0].weight)


def test_a_copy_of_a_nested_network_keeps_its_views():
    net = nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.Tanh()), nn.Linear(4, 2), seed=0)
    twin = pickle.loads(pickle.dumps(net))
    twin[0].parameters().data[...] = 0
    assert not twin["0.0.weight"].any()
    assert net["0.0.weight"].any()
    assert not twin.predict(data()[0]).any() or twin["1.bias"].any()


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("loss", [nn.MSELoss(), nn.RMSELoss(), nn.CrossEntropyLoss()], ids=lambda loss: loss.name)
def test_a_batch_of_weight_zero_teaches_nothing(backend, loss):
    x, labels = data(8)
    y = labels if loss.kind == "row_loss" else F.tanh(x[:, :2].copy())
    weights = np.r_[np.zeros(4), np.ones(4)]
    with fastnn.use_backend(backend):
        results = []
        for rows, lr in ((slice(None), 0.1), (slice(4, None), 0.2)):  # the mean weight is 1 / 2, then 1
            net = nn.Sequential(nn.Linear(3, 2), seed=0)
            trainer = fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=lr))
            history = trainer.fit(x[rows], y[rows], sample_weight=weights[rows], batch_size=4, shuffle=False)
            results.append((bits(trainer), history["loss"]))
        assert results[0] == results[1]
        assert np.isfinite(trainer.net.parameters().data).all()


def test_fork_while_another_thread_trains():
    x, y = data()
    trainer = make()
    trainer.step(x, y)
    thread = threading.Thread(target=trainer.fit, args=(x, y), kwargs={"epochs": 4000, "progress": False})
    thread.start()
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        trainer.net.predict(x)
        trainer.step(x, y)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    thread.join()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_network_cannot_be_run_from_within():
    class Within(nn.Module):
        def forward(self, x):
            return net.predict(x)

        def backward(self, grad_output):
            return grad_output

    net = nn.Sequential(Within(), nn.Linear(3, 3), seed=0)
    with pytest.raises(RuntimeError, match="running already"):
        net.predict(data()[0])


def test_attributes_of_layers_count_at_once():
    x, y = data()
    net = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.1), seed=0)
    before, alone = net.predict(x), net.layers[1](x)
    net.layers[1].negative_slope = 0.5
    np.testing.assert_array_equal(net.predict(x), F.leaky_relu(F.linear(x, net["0.weight"], net["0.bias"]), 0.5))
    assert (net.predict(x) != before).any()
    assert (net.layers[1](x) != alone).any()
    trainer, other = make(), make()
    trainer.step(x, y)
    other.step(x, y)
    trainer.net.layers[2].p = other.net.layers[2].p = 0.0
    assert trainer.step(x, y) == other.step(x, y)
    trainer.net.layers[2].p = 2.0
    with pytest.raises(ValueError, match="p must be"):
        trainer.step(x, y)


def test_a_network_that_moved_into_another_says_so():
    x, y = data()
    trainer = make()
    trainer.step(x, y)
    big = nn.Sequential(trainer.net, nn.ReLU(), seed=0)
    for call in (lambda: trainer.step(x, y), lambda: trainer.fit(x, y), trainer.optimizer.step):
        with pytest.raises(RuntimeError, match="went into another"):
            call()
    optimizer = optim.Adam(big.parameters())
    assert fastnn.Trainer(big, nn.CrossEntropyLoss(), optimizer).step(x, y) > 0


def test_backward_uses_the_mask_of_its_forward():
    x, y = data()
    trainer = make()
    net = trainer.net
    trainer.optimizer.lr = 0.0
    gradients = []
    for between in (False, True):
        net._tick[...] = 0
        out = net(x)
        if between:
            trainer.step(x, y)
        net.zero_grad()
        net.backward(np.ones_like(out))
        gradients.append(net.parameters().grad.copy())
    np.testing.assert_array_equal(*gradients)


def test_fits_without_a_seed_go_on_shuffling():
    x, y = data()
    together, apart = make(), make()
    together.fit(x, y, epochs=3)
    for _ in range(3):
        apart.fit(x, y, epochs=1)
    assert bits(together) == bits(apart)


def test_arrays_of_an_update_that_overlap():
    p, expected = np.arange(9.0), np.arange(9.0)
    optim.functional.sgd_step(expected[1:], expected[:-1].copy(), lr=0.5)
    optim.functional.sgd_step(p[1:], p[:-1], lr=0.5)
    np.testing.assert_array_equal(p, expected)
    with pytest.raises(ValueError, match="exp_avg_sq and exp_avg must not share memory"):
        optim.functional.adam_step(p, p.copy(), expected, expected, step=1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_temperature_that_has_no_inverse(dtype):
    x = np.zeros((2, 3), dtype)
    with pytest.raises(ValueError, match="temperature must be at least"):
        F.softmax(x, temperature=1e-39 if dtype == "float32" else 5e-324)
    assert np.isfinite(F.softmax(x, temperature=float(np.finfo(dtype).tiny))).all()


def test_integer_targets_are_taken_everywhere():
    x, y = np.array([0.5, -1.0]), np.array([1, 0])
    assert F.binary_cross_entropy_with_logits(x, y) == F.binary_cross_entropy_with_logits(x, y.astype(float))
    assert nn.BCEWithLogitsLoss()(x, y == 1)[0] == nn.BCEWithLogitsLoss()(x, y.astype(float))[0]


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_losses_of_scalars(backend):
    with fastnn.use_backend(backend):
        x, t = np.array(3.0), np.array(1.0)
        assert F.mse_loss(x, t, "none") == 4.0
        assert F.mse_loss_backward(np.array(1.0), x, t, "none").shape == ()
        assert F.mse_loss(x, t, "none", sample_weight=np.array(2.0)) == 8.0
        assert F.mse_loss_backward(np.array(3.0), x, t, "none", sample_weight=np.array(2.0)) == 24.0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    "loss",
    sorted(
        (cls for cls in LOSSES - {nn.Loss, nn.GaussianNLLLoss, nn.HeadsLoss} if not issubclass(cls, SeveralInputsLoss)),
        key=lambda loss: loss.name,
    ),
)
def test_a_loss_is_its_function_and_the_gradient_of_that(loss, reduction, weighted, dtype, rng):
    x, t, labels = *rng.uniform(0.1, 0.9, (2, 7, 3)).astype(dtype), rng.integers(3, size=7)
    signed = ("hinge_loss", "soft_margin_loss", "hinge_embedding_loss")
    t = np.sign(t - 0.5) if loss.kernel in signed else t
    weight = rng.uniform(size=7).astype(dtype) if weighted else None
    arguments = (x, labels if loss.classes else t, reduction, weight)
    value = getattr(F, loss.name)(*arguments)
    upstream = np.ones_like(value) if reduction == "none" else 1.0
    grad = getattr(F, f"{loss.name}_backward")(upstream, *arguments)
    both = loss(reduction)(*arguments[:2], weight)
    assert [a.tobytes() for a in both] == [value.tobytes(), grad.tobytes()]


def test_gradients_of_single_losses_in_any_layout():
    x, t, g = np.random.default_rng(0).normal(size=(3, 4, 5))
    for backward in (F.mse_loss_backward, F.rmse_loss_backward):
        np.testing.assert_array_equal(backward(np.asfortranarray(g), x, t, "none"), backward(g, x, t, "none"))
