"""L-BFGS: what it minimises, its memory, and how it is trained with."""

import math

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn._core import dispatch
from fastnn._core import threads as core_threads
from fastnn.nn.parameters import Parameters

WOLFE = {"line_search_fn": "strong_wolfe"}


def parameters(start, dtype="float64"):
    params = Parameters({"p": (len(start),)}, dtype)
    params["p"].data[...] = start
    return params


def closure_of(params, function):
    """A closure around a function of the parameters that gives loss and gradient."""

    def closure():
        loss, params["p"].grad[...] = function(params["p"].data)
        return loss

    return closure


def rosenbrock(p):
    x, y = p
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2, (-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x))


def bowl(p):
    """A parabola, flat in one direction and steep in the others."""
    curvature = np.arange(1.0, len(p) + 1) ** 2
    return 0.5 * float(curvature @ ((p - 1) ** 2)), curvature * (p - 1)


def test_the_valley_of_rosenbrock_is_followed_to_its_end(dtype):
    params = parameters((-1.0, 1.5), dtype)
    optimizer = optim.LBFGS(params, max_iter=100, **WOLFE)
    assert optimizer.step(closure_of(params, rosenbrock)) == pytest.approx(29.0)
    np.testing.assert_allclose(params["p"].data, 1, atol=1e-6 if dtype == "float64" else 1e-2)
    assert optimizer.step_count == optimizer.memory.iterations > 10


def test_a_parabola_is_solved_by_small_steps_too():
    params = parameters(np.zeros(5))
    optimizer = optim.LBFGS(params, lr=0.5, max_iter=60)
    optimizer.step(closure_of(params, bowl))
    np.testing.assert_allclose(params["p"].data, 1, atol=1e-4)


def test_decay_and_climbing():
    """The maximum of -bowl(p) - |p|^2 / 2, where the gradient curvature (p - 1) + p is 0."""
    params = parameters(np.zeros(4))
    optimizer = optim.LBFGS(params, weight_decay=1.0, maximize=True, max_iter=50, **WOLFE)

    def upside_down(p):
        loss, grad = bowl(p)
        return -loss, -grad

    for _ in range(3):
        optimizer.step(closure_of(params, upside_down))
    curvature = np.arange(1.0, 5) ** 2
    np.testing.assert_allclose(params["p"].data, curvature / (curvature + 1), atol=1e-5)


def test_nothing_moves_where_the_gradient_is_0():
    params = parameters(np.ones(3))
    optimizer = optim.LBFGS(params, **WOLFE)
    assert optimizer.step(closure_of(params, bowl)) == 0
    assert (params["p"].data == 1).all()
    assert (optimizer.step_count, optimizer.memory.evaluations) == (0, 1)


def test_no_more_changes_are_remembered_than_asked_for():
    params = parameters((-1.0, 1.5))
    optimizer = optim.LBFGS(params, history_size=3, max_iter=12, **WOLFE)
    optimizer.step(closure_of(params, rosenbrock))
    assert len(optimizer.memory.old_dirs) == len(optimizer.memory.old_steps) == len(optimizer.memory.ro) == 3


# -- training ----------------------------------------------------------------------------------------------------------


def digits_of_moons(dtype="float64", n=90):
    x, y = fastnn.data.make_moons(n, noise=0.1, seed=0)
    return x.astype(dtype), y


def make_trainer(dtype="float64", dropout=0.0, loss=None, **options):
    layers = [nn.Linear(2, 8), nn.Tanh(), *([nn.Dropout(dropout)] if dropout else []), nn.Linear(8, 2)]
    net = nn.Sequential(*layers, seed=0, dtype=dtype)
    optimizer = optim.LBFGS(net.parameters(), **(WOLFE | options))
    return fastnn.Trainer(net, loss or nn.CrossEntropyLoss(), optimizer)


def test_fit_takes_a_step_an_epoch(dtype, backend):
    x, y = digits_of_moons(dtype)
    trainer = make_trainer(dtype)
    history = trainer.fit(x, y, epochs=6, batch_size=None, shuffle=False)
    assert history["loss"][-1] < 0.05
    assert history["accuracy"][-1] > 0.97
    assert all(a >= b for a, b in zip(history["loss"], history["loss"][1:], strict=False))
    twin = make_trainer(dtype)
    assert [twin.step(x, y) for _ in range(6)] == history["loss"]
    np.testing.assert_array_equal(twin.net.parameters().data, trainer.net.parameters().data)


def test_the_trainer_does_what_a_closure_does(backend):
    x, y = digits_of_moons()
    trainer, twin = make_trainer(), make_trainer()
    trainer.fit(x, y, epochs=2, batch_size=None, shuffle=False)

    def closure():
        twin.optimizer.zero_grad()
        loss, grad = twin.loss(twin.net(x), y)
        twin.net.backward(grad)
        return loss

    for _ in range(2):
        twin.optimizer.step(closure)
    np.testing.assert_allclose(twin.net.parameters().data, trainer.net.parameters().data, rtol=1e-6)


def test_mini_batches_are_refused():
    x, y = digits_of_moons()
    trainer = make_trainer()
    before = trainer.net.parameters().data.copy()
    for arguments in ({}, {"batch_size": 10}):
        with pytest.raises(ValueError, match="LBFGS looks at all samples in each step: batch_size must be None, got "):
            trainer.fit(x, y, **arguments)
    np.testing.assert_array_equal(trainer.net.parameters().data, before)
    trainer.fit(x, y, batch_size=len(x))


def test_masks_of_dropout_are_the_same_throughout_a_step(backend):
    """Else a search would end where noise is lowest; the next step has others."""
    x, y = digits_of_moons()
    trainer, losses = make_trainer(dropout=0.5, max_iter=5), []
    tick = int(trainer.net._tick[0])
    masks = []

    def loss_of(y_pred, target):
        masks.append(y_pred.copy())
        loss, grad = nn.CrossEntropyLoss()(y_pred, target)
        losses.append(loss)
        return loss, grad

    trainer.loss = loss_of
    trainer.optimizer.lr = 0.0  # every evaluation at the same point
    first = trainer.step(x, y)
    assert len(masks) > 1
    assert all(np.array_equal(mask, masks[0]) for mask in masks)
    assert first == losses[0]
    assert int(trainer.net._tick[0]) == tick + 1
    trainer.step(x, y)
    assert not np.array_equal(masks[-1], masks[0])


def test_sample_weights_and_sums_count():
    x, y = digits_of_moons(n=40)
    weight = np.arange(40) % 3
    trainer = make_trainer(loss=nn.CrossEntropyLoss("sum"))
    history = trainer.fit(x, y, epochs=2, batch_size=None, sample_weight=weight)
    twin = make_trainer(loss=nn.CrossEntropyLoss("sum"))
    rows = np.repeat(np.arange(40), weight)
    np.testing.assert_allclose(
        twin.fit(x[rows], y[rows], epochs=2, batch_size=None)["loss"], history["loss"], rtol=1e-6
    )


def test_bits_do_not_depend_on_threads_or_instruction_sets(dtype, isas, cut_small_work):
    x, y = digits_of_moons(dtype)
    ends = set()
    for isa in [isa for isa in isas if isa != "sse2"]:
        dispatch.set_isa(isa)
        for n in (1, 2, 3):
            core_threads.set_num_threads(n)
            trainer = make_trainer(dtype)
            trainer.fit(x, y, epochs=3, batch_size=None, seed=0)
            ends.add(trainer.net.parameters().data.tobytes())
    assert len(ends) == 1


def test_health_takes_back_its_step():
    x, y = digits_of_moons()
    trainer, twin = make_trainer(), make_trainer()
    for each in (trainer, twin):
        each.step(x, y)
    trainer.health(x, y)
    assert trainer.step(x, y) == twin.step(x, y)
    np.testing.assert_array_equal(twin.net.parameters().data, trainer.net.parameters().data)


# -- state and errors --------------------------------------------------------------------------------------------------


def test_state_goes_on_bit_for_bit():
    params, twin_params = parameters((-1.0, 1.5)), parameters((0.0, 0.0))
    optimizer, twin = (optim.LBFGS(p, max_iter=4, history_size=5, **WOLFE) for p in (params, twin_params))
    for _ in range(2):
        optimizer.step(closure_of(params, rosenbrock))
    twin.load_state_dict(optimizer.state_dict())
    twin_params.data[...] = params.data
    for p, o in ((params, optimizer), (twin_params, twin)):
        for _ in range(2):
            o.step(closure_of(p, rosenbrock))
    assert params.data.tobytes() == twin_params.data.tobytes()
    assert optimizer.memory.evaluations == twin.memory.evaluations


def test_a_checkpoint_keeps_it(tmp_path, backend):
    x, y = digits_of_moons()
    trainer, twin = make_trainer(), make_trainer()
    trainer.fit(x, y, epochs=2, batch_size=None, shuffle=False)
    trainer.save_checkpoint(tmp_path / "moons")
    twin.load_checkpoint(tmp_path / "moons")
    for each in (trainer, twin):
        each.step(x, y)
    assert trainer.net.parameters().data.tobytes() == twin.net.parameters().data.tobytes()


def test_state_that_does_not_fit_changes_nothing():
    params = parameters((-1.0, 1.5))
    optimizer = optim.LBFGS(params, max_iter=4, **WOLFE)
    optimizer.step(closure_of(params, rosenbrock))
    good = optimizer.state_dict()
    before = repr(good)
    states = good["states"]
    wrong = (
        good | {"states": states | {"old_dirs": states["old_dirs"][:-1]}},
        good | {"states": states | {"numbers": states["numbers"][:3]}},
        good | {"states": states | {"direction": states["direction"].astype("float32")}},
        good | {"states": {}},
        good | {"step": -1},
        good | {"hyper": {}},
        optim.Adam(params).state_dict(),
    )
    for state in wrong:
        with pytest.raises((TypeError, ValueError)):
            optimizer.load_state_dict(state)
        assert repr(optimizer.state_dict()) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("call", [1, 2, 5])
def test_a_step_that_is_cut_off_was_none(error, call):
    params = parameters((-1.0, 1.5))
    optimizer = optim.LBFGS(params, max_iter=6, **WOLFE)
    optimizer.step(closure_of(params, rosenbrock))
    before, state, calls = params.data.copy(), repr(optimizer.state_dict()), []

    def closure():
        calls.append(1)
        if len(calls) == call:
            raise error("cut off")
        return closure_of(params, rosenbrock)()

    with pytest.raises(error, match="cut off"):
        optimizer.step(closure)
    np.testing.assert_array_equal(params.data, before)
    assert repr(optimizer.state_dict()) == state


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"max_iter": 0}, ValueError, "max_iter must be at least 1, got 0"),
        ({"max_eval": 0}, ValueError, "max_eval must be at least 1, got 0"),
        ({"history_size": 1.5}, TypeError, "history_size must be an integer, got float"),
        ({"tolerance_grad": -1}, ValueError, "tolerance_grad must be at least 0"),
        ({"tolerance_change": "no"}, TypeError, "tolerance_change must be a number, got str"),
        ({"line_search_fn": "armijo"}, ValueError, "line_search_fn must be one of None, 'strong_wolfe', got 'armijo'"),
        ({"lr": -1}, ValueError, "lr must be at least 0"),
    ],
)
def test_wrong_settings(options, error, message):
    with pytest.raises(error, match=message):
        optim.LBFGS(parameters((0.0,)), **options)


def test_a_closure_is_needed():
    optimizer = optim.LBFGS(parameters((0.0,)))
    with pytest.raises(TypeError, match="closure must be a function that computes gradients and loss, got NoneType"):
        optimizer.step()
    with pytest.raises(TypeError, match="closure must return the loss, a number, got NoneType"):
        optimizer.step(lambda: None)
    assert repr(optimizer).startswith("LBFGS(lr=1, max_iter=20, max_eval=25, tolerance_grad=1e-07, ")


def test_nan_passes():
    params = parameters((1.0, 2.0))
    optimizer = optim.LBFGS(params, max_iter=2, **WOLFE)
    optimizer.step(closure_of(params, lambda p: (math.nan, p * math.nan)))
    assert np.isnan(params["p"].data).all()
