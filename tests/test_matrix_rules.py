"""Rules that work on whole matrices, Adafactor and Muon: against the reference, the same bits, states, checks."""

import copy
import pickle

import numpy as np
import pytest

import fastnn
import fastnn.optim.functional as functional
from fastnn import nn, optim
from fastnn._core import matrix_rules
from fastnn.testing.cases.ops import MATRIX_UPDATES, case_id
from fastnn.testing.cases.records import numbered
from fastnn.testing.measure import max_ulp, wide
from support.torch_runs import values

CASES = [(op, options) for op in MATRIX_UPDATES for options in op.options]
EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=case_id)
SHAPES = (1, 1), (1, 9), (9, 1), (3, 5), (5, 3), (16, 16), (33, 70), (70, 33), (0, 3), (2, 0)
OPTIMIZERS = {
    "Adafactor": lambda net, **more: optim.Adafactor(net.parameters(), lr=0.05, weight_decay=0.01, **more),
    "Muon": lambda net, **more: optim.Muon([p for p in net.parameters() if p.data.ndim == 2], lr=0.02, **more),
}
EVERY_OPTIMIZER = pytest.mark.parametrize("name", OPTIMIZERS)


def run(function, arrays, gradients, options):
    """The arrays after some steps."""
    arrays = [None if array is None else array.copy() for array in arrays]
    for t, grad in enumerate(gradients, start=1):
        arrays[1] = grad.astype(arrays[0].dtype)
        function(*arrays, **options, **numbered(function, t))
    return arrays


def schedule(case, shape, dtype, rng):
    op, options = case
    call = op.make(shape, dtype, rng, **options)
    return call.args, [rng.normal(size=shape).astype(dtype) for _ in range(3)], call.kwargs


@EVERY_CASE
def test_equals_reference(case, dtype, isa, rng):
    more = [(), (7,), (300,), (2, 3, 4)] if case[0].name == "adafactor_step" else []
    for shape in (*SHAPES, *more):
        arrays, gradients, options = schedule(case, shape, dtype, rng)
        actual = run(case[0].function, arrays, gradients, options)
        expected = run(
            case[0].reference,
            [None if a is None else wide(a) for a in arrays],
            gradients,
            options | eps_of(case, dtype),
        )
        for a, e in zip(actual, expected, strict=True):
            if a is not None:
                assert max_ulp(a, e, np.ones_like(e)) <= case[0].tolerance[dtype]


def eps_of(case, dtype):
    """The default epsilon of the narrow dtype, for the reference in the wide one."""
    if case[0].name == "muon_step" or "eps" in case[1]:
        return {}
    return {"eps": (float(np.finfo(dtype).eps), 1e-3)}


@EVERY_CASE
def test_bits_do_not_depend_on_threads_and_instruction_sets(case, dtype, isas, rng, monkeypatch):
    arrays, gradients, options = schedule(case, (130, 260), dtype, rng)
    results = []
    before = fastnn._core.dispatch.get_isa()
    try:
        for isa in [name for name in isas if name != "sse2"]:
            fastnn._core.dispatch.set_isa(isa)
            for threads in (1, 2, 3):
                fastnn.set_num_threads(threads)
                ends = run(case[0].function, arrays, gradients, options)
                results.append([a.tobytes() for a in ends if a is not None])
    finally:
        fastnn._core.dispatch.set_isa(before)
        fastnn.set_num_threads(2)
    assert all(result == results[0] for result in results)


@EVERY_CASE
def test_reference_backend(case, dtype, rng, reference_backend):
    arrays, gradients, options = schedule(case, (5, 4), dtype, rng)
    for a, e in zip(
        run(case[0].function, arrays, gradients, options),
        run(case[0].reference, arrays, gradients, options),
        strict=True,
    ):
        np.testing.assert_array_equal(a, e)


def network(seed=0, dtype="float64"):
    layers = [nn.Linear(3, 6), nn.LayerNorm(6), nn.Tanh(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2)]
    return nn.Sequential(*layers, seed=seed, dtype=dtype)


def data(dtype="float64", rows=40):
    rng = np.random.default_rng(3)
    return rng.normal(size=(rows, 3)).astype(dtype), rng.normal(size=(rows, 2)).astype(dtype)


@EVERY_OPTIMIZER
def test_a_class_is_the_function_parameter_by_parameter(name, dtype, backend):
    net = network(dtype=dtype.name)
    optimizer = OPTIMIZERS[name](net)
    function = getattr(functional, f"{name.lower()}_step")
    keywords = {"lr": 0.05, "weight_decay": 0.01} if name == "Adafactor" else {"lr": 0.02}
    start = {p.name: p.data.copy() for p in net.parameters()}
    states = dict.fromkeys(start)
    rng = np.random.default_rng(0)
    for t in range(1, 6):
        for p in net.parameters():
            p.grad[...] = rng.normal(size=p.shape)
        for p in net.parameters():
            if name == "Muon" and p.data.ndim < 2:
                continue
            param = start[p.name].T.copy() if name == "Muon" else start[p.name]
            grad = p.grad.T.copy() if name == "Muon" else p.grad.copy()
            if states[p.name] is None:
                make = {op.name: op.make for op in MATRIX_UPDATES}[f"{name.lower()}_step"]
                states[p.name] = make(param.shape, dtype, rng=np.random.default_rng(0)).args[2:]
            function(param, grad, *states[p.name], **keywords, **numbered(function, t))
            start[p.name] = param.T.copy() if name == "Muon" else param
        optimizer.step()
    for p in net.parameters():
        np.testing.assert_allclose(
            p.data,
            start[p.name],
            rtol=1e-5 if dtype == "float32" else 1e-12,
            atol=1e-6 if dtype == "float32" else 1e-14,
        )


@EVERY_OPTIMIZER
def test_training_is_the_same_on_both_backends_and_ways(name):
    x, y = data()
    ends = []
    for backend in ("native", "reference"):
        for explicit in (False, True):
            with fastnn.use_backend(backend):
                net = network()
                optimizer = OPTIMIZERS[name](net, max_grad_norm=0.5, max_grad_value=0.1)
                trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer)
                for _ in range(5):
                    if explicit:
                        optimizer.zero_grad()
                        net.backward(trainer.loss(net(x), y)[1])
                        optimizer.step()
                    else:
                        trainer.step(x, y)
                ends.append(values(net))
    for end in ends:
        np.testing.assert_allclose(end, ends[0], rtol=1e-9, atol=1e-12)
    assert ends[0].tobytes() == ends[1].tobytes()


@EVERY_OPTIMIZER
def test_a_run_resumes_with_the_same_bits(name, tmp_path):
    x, y = data("float32")
    path = tmp_path / "run.safetensors"

    def make():
        net = network(dtype="float32")
        return fastnn.Trainer(net, nn.MSELoss(), OPTIMIZERS[name](net))

    whole, parts = make(), make()
    whole.fit(x, y, epochs=4, batch_size=8, seed=1)
    parts.fit(x, y, epochs=2, batch_size=8, seed=1, checkpoint=path)
    again = make()
    again.fit(x, y, epochs=4, batch_size=8, seed=1, checkpoint=path, resume=True)
    assert values(again.net).tobytes() == values(whole.net).tobytes()
    for state, array in whole.optimizer.states.items():
        assert array.tobytes() == again.optimizer.states[state].tobytes()


@EVERY_OPTIMIZER
def test_states_go_on_in_copies_and_pickles(name):
    x, y = data()
    net = network()
    trainer = fastnn.Trainer(net, nn.MSELoss(), OPTIMIZERS[name](net))
    trainer.step(x, y)
    twins = [copy.deepcopy(trainer), pickle.loads(pickle.dumps(trainer))]
    loss = [t.step(x, y) for t in (trainer, *twins)]
    assert loss[0] == loss[1] == loss[2]
    assert values(net).tobytes() == values(twins[0].net).tobytes() == values(twins[1].net).tobytes()


@EVERY_OPTIMIZER
def test_groups_freezing_schedules_and_penalties(name, backend):
    x, y = data()
    net = network()
    weights = [p for p in net.parameters() if p.data.ndim == 2]
    cls = getattr(optim, name)
    groups = [{"params": weights[:1], "lr": 0.1}, {"params": weights[1:2], "frozen": True}, {"params": weights[2:]}]
    optimizer = cls(groups, lr=0.02)
    before = {p.name: p.data.copy() for p in net.parameters()}
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer, scheduler=scheduler, l2=0.01)
    trainer.fit(x, y, epochs=2, batch_size=20, progress=False)
    moved = {key: not np.array_equal(value, net.parameters()[key].data) for key, value in before.items()}
    assert moved == {key: key in (weights[0].name, weights[2].name) for key in before}
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.025, 0.005, 0.005])


def test_adafactor_needs_little_memory():
    net = nn.Sequential(nn.Linear(100, 50), nn.Linear(50, 10))
    states = optim.Adafactor(net.parameters()).states
    assert {key: array.size for key, array in states.items()} == {"row_var": 150, "col_var": 60, "variance": 60}


def test_adafactor_of_arrays_of_any_shape(backend):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((2, 3, 4), (5,), (), (4, 2))]
    grads = [rng.normal(size=a.shape) for a in arrays]
    expected = [a.copy() for a in arrays]
    optimizer = optim.Adafactor(arrays, lr=0.1, eps=(1e-6, 0.01))
    optimizer.step(grads=grads)
    for a, g in zip(expected, grads, strict=True):
        if a.ndim > 1:
            states = np.zeros((*a.shape[:-1], 1)), np.zeros((*a.shape[:-2], 1, a.shape[-1])), None
        else:
            states = None, None, np.zeros(a.shape)
        fastnn.reference.adafactor_step(a, g, *states, step=1, lr=0.1, eps=(1e-6, 0.01))
    for a, e in zip(arrays, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-12)


def test_muon_takes_arrays_as_torch_does_and_weights_transposed():
    grad = np.random.default_rng(0).normal(size=(6, 3))
    array, turned = np.ones((6, 3)), np.ones((6, 3))
    optim.Muon([array], lr=0.1).step(grads=[grad])
    functional.muon_step(turned, grad, np.zeros((6, 3)), lr=0.1)
    np.testing.assert_array_equal(array, turned)
    net = nn.Sequential(nn.Linear(3, 6, bias=False), dtype="float64")
    weight = net.parameters()["0.weight"]
    weight.data[...], weight.grad[...] = 1.0, grad.T
    optim.Muon(net.parameters(), lr=0.1).step()
    np.testing.assert_allclose(weight.data.T, array, rtol=1e-12)


def test_the_step_of_muon_is_about_orthogonal(rng):
    param = np.zeros((8, 5))
    functional.muon_step(
        param, rng.normal(size=(8, 5)), np.zeros((8, 5)), lr=1.0, ns_steps=12, ns_coefficients=(1.5, -0.5, 0)
    )
    singular = np.linalg.svd(param / np.sqrt(8 / 5), compute_uv=False)
    np.testing.assert_allclose(singular, 1, atol=0.2)


def test_muon_climbs_by_the_other_gradient(backend):
    grad, ends = np.random.default_rng(0).normal(size=(4, 3)), []
    for maximize in (False, True):
        w = np.ones((4, 3))
        optim.Muon([w], maximize=maximize).step(grads=[-grad if maximize else grad])
        ends.append(w)
    np.testing.assert_array_equal(*ends)


def test_muon_refuses_what_is_no_matrix():
    net = network()
    with pytest.raises(ValueError, match=r"Muon is for matrices only, and 0.bias has shape \(6,\): give \[p for p"):
        optim.Muon(net.parameters())
    optimizer = optim.Muon([net.parameters()["0.weight"]])
    with pytest.raises(ValueError, match="for matrices only"):
        optimizer.add_param_group({"params": net.parameters()["0.bias"]})
    assert len(optimizer.param_groups) == 1
    optimizer.add_param_group({"params": net.parameters()["3.weight"], "ns_steps": 3})
    assert [group["ns_steps"] for group in optimizer.param_groups] == [5, 3]
    with pytest.raises(ValueError, match=r"param must be a matrix, got shape \(3,\)"):
        functional.muon_step(np.zeros(3), np.zeros(3), np.zeros(3))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: optim.Muon(p, ns_steps=100), ValueError, "ns_steps must be at most 99, got 100"),
        (lambda p: optim.Muon(p, ns_steps=2.5), TypeError, "ns_steps must be an integer"),
        (lambda p: optim.Muon(p, adjust_lr_fn="best"), ValueError, "adjust_lr_fn must be one of None, 'original'"),
        (lambda p: optim.Muon(p, ns_coefficients=(1, 2)), TypeError, "ns_coefficients must be three numbers"),
        (lambda p: optim.Muon(p, momentum=-0.1), ValueError, "momentum must be at least 0"),
        (lambda p: optim.Adafactor(p, d=0.5), ValueError, "d must be at least 1"),
        (lambda p: optim.Adafactor(p, beta2_decay=0.5), ValueError, "beta2_decay must be at most 0"),
        (lambda p: optim.Adafactor(p, eps=1e-3), TypeError, "eps must be a pair"),
        (lambda p: optim.Adafactor(p, eps=(1e-3, -1)), ValueError, r"eps\[1\] must be at least 0"),
        (lambda p: optim.Adafactor(p, foreach=True), ValueError, "foreach must be False or None"),
        (lambda p: optim.Adafactor(p, fused=False), TypeError, "takes no argument 'fused'"),
    ],
)
def test_wrong_hyperparameters(make, error, message):
    net = nn.Sequential(nn.Linear(2, 3, bias=False))
    with pytest.raises(error, match=message):
        make(net.parameters())


def test_wrong_states_of_functions():
    param, grad = np.ones((2, 3)), np.ones((2, 3))
    row, col = np.zeros((2, 1)), np.zeros((1, 3))
    for states, message in (
        ((None, col), "row_var must be given for a param of shape"),
        ((row, np.zeros((3, 1))), "col_var must have shape"),
        ((row, col, np.zeros((2, 3))), "variance must not be given"),
        ((row, row), "col_var must have shape"),
    ):
        with pytest.raises(ValueError, match=message):
            functional.adafactor_step(param, grad, *states, step=1)
    with pytest.raises(ValueError, match="step must be at least 1"):
        functional.adafactor_step(param, grad, row, col, step=0)
    with pytest.raises(ValueError, match="must not share memory"):
        functional.muon_step(param, grad, param)
    with pytest.raises(TypeError, match="float32"):
        functional.muon_step(param, grad.astype("float32"), np.zeros((2, 3)))
    assert (param == 1).all() and not row.any()
    with pytest.raises(ValueError, match="scratch memory"):
        matrix_rules.step("muon_step", np.zeros(64), 1, param, grad, np.zeros((2, 3)), None, 2, 3, np.zeros(3))


def test_wrong_states_of_an_optimizer_are_refused():
    net = network()
    optimizer = OPTIMIZERS["Adafactor"](net)
    optimizer.states["row_var"] = np.zeros(2)
    with pytest.raises(ValueError, match="states of an optimizer must fit"):
        optimizer.step()
    state = OPTIMIZERS["Adafactor"](net).state_dict()
    state["states"]["col_var"] = np.zeros(3)
    with pytest.raises(ValueError, match="col_var must have shape"):
        OPTIMIZERS["Adafactor"](net).load_state_dict(state)


@EVERY_OPTIMIZER
def test_nan_stays_in_its_parameter(name, backend):
    net = network()
    optimizer = OPTIMIZERS[name](net)
    for p in net.parameters():
        p.grad[...] = 1.0
    net.parameters()["3.weight"].grad[0, 0] = np.nan
    optimizer.step()
    for p in net.parameters():
        assert np.isnan(p.data).all() == (p.name == "3.weight")
        assert np.isnan(p.data).any() == (p.name == "3.weight")
