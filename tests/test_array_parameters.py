"""Optimizers of plain arrays: the updates of a network's parameters, on memory of the user."""

import copy
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.nn.parameters import Parameters
from fastnn.testing.measure import assert_same_bits
from support.torch_runs import RULES

SHAPES = {"w": (7, 5), "b": (5,), "c": (), "none": (0, 3)}


def begin(dtype, seed=0):
    rng = np.random.default_rng(seed)
    return [np.array(rng.normal(size=shape), dtype) for shape in SHAPES.values()]


def gradients(arrays):
    return [np.array(0.5 * array - 0.25, array.dtype) for array in arrays]


@pytest.mark.parametrize("way", ["grads", "closure"])
@pytest.mark.parametrize("name", RULES)
def test_arrays_are_updated_as_a_network_is(name, way, dtype, backend):
    arrays, options = begin(dtype), RULES[name] | {"max_grad_norm": 0.7, "max_grad_value": 0.2}
    before = list(arrays)
    params = Parameters(SHAPES, dtype)
    for p, array in zip(params, arrays, strict=True):
        p.data[...] = array
    optimizer, other = getattr(optim, name)(arrays, **options), getattr(optim, name)(params, **options)
    for _ in range(4):
        for p, grad in zip(params, gradients(arrays), strict=True):
            p.grad[...] = grad
        other.step()
        if way == "grads":
            assert optimizer.step(grads=gradients(arrays)) is None
        else:
            assert optimizer.step(lambda: (3.5, gradients(arrays))) == 3.5
    assert all(now is old for now, old in zip(arrays, before, strict=True))
    for p, array in zip(params, arrays, strict=True):
        assert_same_bits(array, p.data)
    assert optimizer.grad_norm == other.grad_norm


def rosenbrock(x, y):
    return float((1 - x) ** 2 + 100 * (y - x * x) ** 2), [
        np.asarray(-2 * (1 - x) - 400 * x * (y - x * x)),
        np.asarray(200 * (y - x * x)),
    ]


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_follows_the_valley(search, backend):
    x, y = np.array(-1.0), np.array(1.5)
    optimizer = optim.LBFGS([x, y], lr=1.0 if search else 1e-3, max_iter=100, line_search_fn=search)
    seen = []

    def closure():
        seen.append((x.item(), y.item()))
        return rosenbrock(x, y)

    assert optimizer.step(closure) == pytest.approx(29.0)
    assert len(set(seen)) > 5, "the closure is called at the points that are tried"
    if search:
        np.testing.assert_allclose([x, y], 1, atol=1e-6)
    params = Parameters({"x": (), "y": ()}, "float64")
    params["x"].data[...], params["y"].data[...] = -1.0, 1.5

    def filled():
        loss, (params["x"].grad[...], params["y"].grad[...]) = rosenbrock(params["x"].data, params["y"].data)
        return loss

    optim.LBFGS(params, lr=1.0 if search else 1e-3, max_iter=100, line_search_fn=search).step(filled)
    assert (x.item(), y.item()) == (params["x"].data.item(), params["y"].data.item())


def test_a_path_over_a_surface():
    """Gradient descent with momentum, by hand and by the optimizer."""
    point, speed, expected = np.array([2.0, -1.0]), np.zeros(2), np.array([2.0, -1.0])
    optimizer = optim.SGD([point], lr=0.125, momentum=0.5)
    for _ in range(5):
        optimizer.step(grads=[point * [1.0, 4.0]])
        speed = 0.5 * speed + expected * [1.0, 4.0]
        expected = expected - 0.125 * speed
    np.testing.assert_allclose(point, expected, rtol=1e-14)


def test_views_of_any_layout_are_updated(dtype, backend):
    table = np.arange(24, dtype=dtype).reshape(4, 6)
    kept, parts = table.copy(), [table[:, ::2].T, table[1:3, 1::2]]
    optim.SGD(parts, lr=0.5).step(grads=[np.ones((3, 4), dtype), np.full((2, 3), 2, dtype)])
    kept[:, ::2] -= 0.5
    kept[1:3, 1::2] -= 1
    assert_same_bits(table, kept)


def test_groups_and_schedules_are_of_arrays(backend):
    w, b = np.ones(3), np.ones(2)
    optimizer = optim.SGD([{"params": [w], "lr": 0.5}, {"params": b}], lr=0.25)
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    for _ in range(2):
        optimizer.step(grads=[np.ones(3), np.ones(2)])
        scheduler.step()
    assert w.tolist() == [0.25] * 3 and b.tolist() == [0.625] * 2
    assert [group["params"] for group in optimizer.param_groups] == [["0"], ["1"]]
    rest = optim.SGD([w, b], lr=0.25, groups=[{"params": b, "frozen": True}])
    rest.step(grads=[np.ones(3), np.ones(2)])
    assert w.tolist() == [0.0] * 3 and b.tolist() == [0.625] * 2


def test_values_set_between_steps_count(backend):
    w = np.zeros(2)
    optimizer = optim.SGD([w], lr=0.5)
    optimizer.step(grads=[np.ones(2)])
    w[...] = 3.0

    def closure():
        w[0] = 7.0
        return 0.0, [np.ones(2)]

    optimizer.step(grads=[np.ones(2)])
    assert w.tolist() == [2.5, 2.5]
    optimizer.step(closure)
    assert w.tolist() == [7.0 - 0.5, 2.0]


@pytest.mark.parametrize("remake", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))], ids=["copy", "pickle"])
def test_copies_have_arrays_of_their_own(remake):
    w = np.ones(3)
    optimizer = optim.Adam([w], lr=0.5)
    optimizer.step(grads=[w])
    twin = remake(optimizer)
    kept = w.copy()
    twin.step(grads=[w])
    assert_same_bits(w, kept)
    optimizer.step(grads=[w])
    assert_same_bits(w, twin.params.arrays[0])
    assert repr(twin.state_dict()) == repr(optimizer.state_dict())
    fresh = optim.Adam([np.array(w)])
    fresh.load_state_dict(optimizer.state_dict())
    assert fresh.lr == 0.5 and fresh.step_count == 2


def test_an_average_of_arrays():
    w = np.zeros(2)
    optimizer = optim.SGD([w], lr=1.0)
    average = optim.WeightAverage(optimizer.params)
    for _ in range(3):
        optimizer.step(grads=[-np.ones(2)])
        average.update()
    assert average.data[:2].tolist() == [2.0, 2.0]


# -- errors ------------------------------------------------------------------------------------------------------------


def read_only():
    array = np.zeros(3)
    array.flags.writeable = False
    return [array]


TABLE = np.zeros((4, 4))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ([np.zeros(3, "int64")], r"params\[0\] must be float32 or float64, got int64"),
        ([np.zeros(3), np.zeros(3, "float32")], r"params\[1\] is float32 but params\[0\] is float64"),
        ([np.zeros(3), np.zeros(2, ">f8")], "byte order|got >f8"),
        (read_only(), r"params\[0\] must be writable"),
        ([np.broadcast_to(np.zeros(1), (3,))], r"params\[0\] must "),
        ([TABLE, TABLE[1]], r"params\[1\] and params\[0\] must not share memory"),
        ([np.ma.zeros(3)], "masked"),
        ([{"params": TABLE}, {"params": [TABLE]}], r"params\[1\]: 0 is in params\[0\] already"),
    ],
)
def test_arrays_that_cannot_be_updated_are_errors(arrays, message):
    with pytest.raises((TypeError, ValueError), match=message):
        optim.Adam(arrays)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"needs their gradients: step\(grads=\[...\]\), or step\(closure\).*net.parameters\(\)"),
        ({"closure": lambda: (0.0, []), "grads": []}, "needs their gradients"),
        ({"grads": np.ones(2)}, "grads must be a list of arrays, one for each parameter, got ndarray"),
        ({"grads": [np.ones(2)]}, "grads must have 2 arrays, one for each parameter, got 1"),
        ({"grads": [np.ones(2), np.ones(3)]}, r"grads\[1\] must have shape \(2,\) like params\[1\], got \(3,\)"),
        ({"grads": [np.ones(2), np.ones(2, "float32")]}, r"grads\[1\] is float32 but params\[1\] is float64"),
        ({"grads": [np.ones(2), None]}, r"grads\[1\] must be an array"),
        ({"closure": lambda: 0.5}, r"closure must return \(loss, grads\) where arrays are optimized, got 0.5"),
        ({"closure": lambda: 1 / 0}, "division by zero"),
    ],
)
@pytest.mark.parametrize("rule", [optim.Adam, optim.LBFGS])
def test_a_wrong_step_changes_nothing(rule, arguments, message, backend):
    arrays = [np.ones(2), np.ones(2)]
    optimizer = rule(arrays)
    before = repr(optimizer.state_dict())
    if rule is optim.LBFGS and "closure" not in arguments:
        message = "closure must be a function"
    with pytest.raises((TypeError, ValueError, ZeroDivisionError), match=message):
        optimizer.step(**arguments)
    assert repr(optimizer.state_dict()) == before
    assert [array.tolist() for array in arrays] == [[1, 1], [1, 1]]


def test_gradients_that_must_be_finite():
    w = np.ones(2)
    optimizer = optim.Adam([w], max_grad_norm=1.0, error_if_nonfinite=True)
    with pytest.raises(RuntimeError, match="not finite"):
        optimizer.step(grads=[np.array([np.nan, 1.0])])
    assert w.tolist() == [1, 1] and optimizer.step_count == 0


@pytest.mark.parametrize(
    "params",
    [
        lambda net: [net[0].weight],
        lambda net: [{"params": net[0].weight}],
        lambda net: [{"params": [net[0].weight]}],
        lambda net: net[:1].parameters(),
        lambda net: net[0].parameters(),
    ],
)
def test_the_arrays_of_a_network_are_its_parameters(params, backend):
    """What the optimizer was given is trained, and nothing else."""
    net = nn.Sequential(nn.Linear(2, 3, bias=False), nn.Linear(3, 1), seed=0, dtype="float64")
    optimizer = optim.SGD(params(net), lr=0.5)
    before, x = net.state_dict(), np.ones((4, 2))
    trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer)
    trainer.step(x, np.zeros(4))
    after = net.state_dict()
    assert [name for name in after if (after[name] != before[name]).any()] == ["0.weight"]
    np.testing.assert_allclose(after["0.weight"], before["0.weight"] - 0.5 * net.parameters()["0.weight"].grad)
    trainer.fit(x, np.zeros(4), epochs=2)
    np.testing.assert_array_equal(net.state_dict()["1.weight"], before["1.weight"])


@pytest.mark.parametrize("rule", [optim.Adam, optim.SGD])
def test_gradients_that_are_not_named_are_explained(rule):
    w = np.ones(2)
    with pytest.raises(TypeError, match=r"closure must be a function, got list: .* by name, step\(grads=\[...\]\)"):
        rule([w]).step([np.ones(2)])
    with pytest.raises(TypeError, match="closure must be a function, got int"):
        rule(nn.Sequential(nn.Linear(2, 1)).parameters()).step(3)
    with pytest.raises(ValueError, match="state has no 'step'; there must be step, hyper, states"):
        rule([w]).load_state_dict({})
    assert w.tolist() == [1.0, 1.0]


def test_an_array_is_given_once():
    a, b = np.ones(2), np.zeros(3)
    with pytest.raises(ValueError, match=r"params\[0\] and params\[2\] are the same array: give it once"):
        optim.SGD([a, b, a])
    with pytest.raises(ValueError, match=r"params\[1\]\['params'\]\[0\] and params\[1\]\['params'\]\[1\] are the same"):
        optim.SGD([{"params": b}, {"params": [a, a]}])
    with pytest.raises(ValueError, match=r"params\[1\]: 0 is in params\[0\] already"):
        optim.SGD([{"params": a}, {"params": [a]}])
    optim.SGD([a, b], groups=[{"params": [b], "lr": 0.5}])


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (optim.Adam, "amsgrad"),
        (optim.AdamW, "amsgrad"),
        (optim.RMSprop, "centered"),
        (optim.NAdam, "decoupled_weight_decay"),
        (optim.RAdam, "decoupled_weight_decay"),
    ],
)
@pytest.mark.parametrize("value", ["no", None, 2, np.ones(2)])
def test_flags_are_true_or_false(rule, name, value):
    with pytest.raises(TypeError, match=f"{name} must be True or False"):
        rule([np.ones(2)], **{name: value})
    rule([np.ones(2)], **{name: np.True_})
