"""Steps over blocks: what they compute, and that any number of ranks has the same bits after them."""

from dataclasses import replace

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.compiler.batch_run import BatchRun
from support.ranks import of_ranks, run_ranks

RNG = np.random.default_rng(7)
X = RNG.normal(size=(101, 5)).astype("float32")
LABELS = RNG.integers(0, 3, 101)
NUMBERS = (X @ RNG.normal(size=(5, 2)) + 0.1 * RNG.normal(size=(101, 2))).astype("float32")
WEIGHTS = RNG.uniform(0.5, 2, 101).astype("float32")


def trainer_of(comm=None, *, layers=None, outputs=2, loss=None, optimizer=None, dtype="float32", blocks=8, **more):
    net = nn.Sequential(*(layers or [nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, outputs)]), seed=0, dtype=dtype)
    optimizer = (optimizer or (lambda params: optim.Adam(params, lr=0.01)))(net.parameters())
    more = {name: value(net, optimizer) if callable(value) else value for name, value in more.items()}
    return fastnn.Trainer(net, loss or nn.MSELoss(), optimizer, comm=comm, blocks=blocks, **more)


def fitted(x=X, y=NUMBERS, sizes=(1, 2, 3, 4, 8), fit=None, backend="native", **make):
    """The trainer of one process after a fit in blocks, after which ranks have the same bits in all that there is."""
    arguments = {"epochs": 2, "batch_size": 24, "seed": 3, "progress": False} | (fit or {})

    def run(comm):
        trainer = trainer_of(comm, **make)
        with fastnn.use_backend(backend):  # of this thread
            trainer.fit(x, y, **arguments)
        return trainer

    def state(trainer):
        rows = [{name: value for name, value in row.items() if name != "seconds"} for row in trainer.history.rows]
        states = [array.tobytes() for array in trainer.optimizer.states.values()]
        return [repr(rows), *states, *(array.tobytes() for array in trainer.net.state_dict().values())]

    alone = run(None)
    for size in sizes:
        for rank, trainer in enumerate(of_ranks(size, run)):
            assert state(trainer) == state(alone), (size, rank)
    return alone


def plain(x=X, y=NUMBERS, fit=None, **make):
    """The trainer after a fit that is not cut into blocks."""
    trainer = trainer_of(None, blocks=None, **make)
    trainer.fit(x, y, **({"epochs": 2, "batch_size": 24, "seed": 3, "progress": False} | (fit or {})))
    return trainer


def assert_close(trainer, other, rtol=1e-10):
    """Both have the same weights and records, to the rounding of float64."""
    np.testing.assert_allclose(trainer.net.parameters().data, other.net.parameters().data, rtol=rtol, atol=1e-12)
    for row, right in zip(trainer.history.rows, other.history.rows, strict=True):
        assert row.keys() == right.keys()
        for name in row.keys() - {"seconds"}:
            np.testing.assert_allclose(row[name], right[name], rtol=rtol, err_msg=name)


# -- one step, by hand -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3, 8, 13, 64])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_step_is_that_of_the_weighted_mean_over_all_rows(rows, weighted):
    """Linear regression with SGD: w - lr * x' (2 v (x w - y)) / (2 columns sum of v)."""
    x, y = X[:rows].astype("float64"), NUMBERS[:rows].astype("float64")
    v = WEIGHTS[:rows].astype("float64") if weighted else np.ones(rows)

    def run(comm):
        trainer = trainer_of(comm, layers=[nn.Linear(5, 2)], dtype="float64", optimizer=lambda p: optim.SGD(p, lr=0.5))
        w, b = (array.copy() for array in trainer.net.state_dict().values())
        loss = trainer.step(x, y, v if weighted else None)
        error = x @ w + b - y
        np.testing.assert_allclose(loss, (v[:, None] * error**2).sum() / (2 * v.sum()), rtol=1e-12)
        slope = 2 * v[:, None] * error / (2 * v.sum())
        np.testing.assert_allclose(trainer.net[0].weight, w - 0.5 * x.T @ slope, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(trainer.net[0].bias, b - 0.5 * slope.sum(0), rtol=1e-12, atol=1e-14)
        return trainer.net.parameters().data.tobytes()

    assert len({bits for size in (1, 2, 3, 8) for bits in of_ranks(size, run)}) == 1


def test_the_divisor_is_the_sum_of_counts_not_a_mean_of_means():
    """Of 9 rows, in blocks of 2, the last block has one; weights of classes count as in PyTorch."""
    weight = np.array([1.0, 5.0, 0.25])
    x, y = X[:9].astype("float64"), np.array([0, 1, 1, 0, 2, 2, 2, 0, 1])

    def run(comm):
        loss = nn.CrossEntropyLoss(weight=weight)
        make = {"layers": [nn.Linear(5, 3)], "dtype": "float64", "loss": loss}
        trainer = trainer_of(comm, optimizer=lambda p: optim.SGD(p, lr=1.0), **make)
        w, b = (array.copy() for array in trainer.net.state_dict().values())
        value = trainer.step(x, y)
        z = np.exp(x @ w + b)
        p = z / z.sum(1, keepdims=True)
        v = weight[y] / weight[y].sum()
        np.testing.assert_allclose(value, -(v * np.log(p[np.arange(9), y])).sum(), rtol=1e-12)
        np.testing.assert_allclose(trainer.net[0].weight, w - x.T @ (v[:, None] * (p - np.eye(3)[y])), rtol=1e-11)

    of_ranks(4, run)


# -- runs --------------------------------------------------------------------------------------------------------------

CASES = {
    "plain": {},
    "classes": {"y": LABELS, "outputs": 3, "loss": nn.CrossEntropyLoss(), "metrics": ["f1", "accuracy"]},
    "ignored": {"y": np.where(LABELS == 2, -100, LABELS), "outputs": 3, "loss": nn.CrossEntropyLoss()},
    "sum": {"loss": nn.MSELoss(reduction="sum"), "optimizer": lambda p: optim.SGD(p, lr=1e-4)},
    "metrics": {"metrics": ["r2", "mae", nn.HuberLoss()]},
    "weights": {"fit": {"sample_weight": WEIGHTS}, "metrics": ["r2"]},
    "balanced": {"y": LABELS, "outputs": 3, "loss": nn.CrossEntropyLoss(), "fit": {"class_weight": "balanced"}},
    "validation": {"fit": {"validation_data": (X[:37], NUMBERS[:37])}, "metrics": ["r2"]},
    "split": {"fit": {"validation_split": 0.2}},
    "accumulate": {"fit": {"accumulate": 3, "batch_size": 10}},
    "small": {"fit": {"batch_size": 3, "epochs": 1}},
    "whole": {"fit": {"batch_size": None}},
    "order": {"fit": {"shuffle": False, "drop_last": True}},
    "clip": {"optimizer": lambda p: optim.SGD(p, lr=0.1, max_grad_norm=0.1)},
    "penalties": {"l1": 0.01, "l2": 0.1},
    "missing": {"y": np.where(NUMBERS > 1, np.nan, NUMBERS), "missing": "ignore", "metrics": ["mae"]},
    "schedule": {"scheduler": lambda net, o: optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=10)},
    "plateau": {
        "scheduler": lambda net, o: optim.lr_scheduler.ReduceLROnPlateau(o, patience=0),
        "fit": {"validation_data": (X[:20], NUMBERS[:20]), "epochs": 4},
    },
    "average": {
        "average": lambda net, o: optim.ExponentialMovingAverage(net.parameters(), 0.9),
        "fit": {"validation_data": (X[:20], NUMBERS[:20]), "validate_average": True},
    },
    "schedule-free": {"optimizer": lambda p: optim.ScheduleFreeAdamW(p, lr=0.01)},
    "integers": {"x": (10 * X).astype("int8")},
    "layout": {"x": np.asfortranarray(X.astype("float64"))},
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_any_number_of_ranks_has_the_bits_of_one(case):
    fitted(**CASES[case])


@pytest.mark.parametrize("case", sorted(set(CASES) - {"clip"}))
def test_it_is_training_without_blocks_to_rounding(case):
    made = CASES[case] | {"dtype": "float64"}
    assert_close(fitted(**made, sizes=()), plain(**made), rtol=1e-8)


@pytest.mark.parametrize("case", ["weights", "metrics", "accumulate", "clip", "penalties"])
def test_the_reference_backend_computes_the_same(case):
    made = CASES[case] | {"dtype": "float64"}
    reference = fitted(**made, sizes=(2, 3), backend="reference")
    assert_close(fitted(**made, sizes=()), reference, rtol=1e-8)


def test_float32_is_close_to_training_without_blocks():
    np.testing.assert_allclose(
        fitted(sizes=()).net.parameters().data, plain().net.parameters().data, rtol=1e-4, atol=1e-6
    )


def test_a_loss_in_python():
    def loss(y_pred, y):
        return float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y.size

    results = [fitted(sizes=(2, 3), loss=value, dtype="float64") for value in (loss, nn.MSELoss())]
    np.testing.assert_allclose(*(t.net.parameters().data for t in results), rtol=1e-8)


def test_shards_and_memmaps_have_the_bits_of_arrays(tmp_path):
    shards = fastnn.data.Shards.write(tmp_path / "shards", X, NUMBERS, rows=40)
    fitted(x=shards, y=None, sizes=(2, 3))
    mapped = np.memmap(tmp_path / "x", "float32", "w+", shape=X.shape)
    mapped[...] = X
    bits = [fitted(x=x, sizes=(2,)).net.parameters().data.tobytes() for x in (mapped, X)]
    assert bits[0] == bits[1]


def test_mixed_rows_have_the_shares_of_their_batches():
    made = {"fit": {"transform": fastnn.data.Mixup(0.4)}, "dtype": "float64"}
    assert_close(fitted(sizes=(2, 3, 8), **made), plain(**made), rtol=1e-8)


def test_dropout_draws_anew_for_each_block_and_step():
    """A network of dropout alone: what is dropped shows in the gradient of the bias before it."""

    def run(comm):
        net = nn.Sequential(nn.Linear(1, 64, weight_init=0.0, bias_init=1.0), nn.Dropout(0.5), seed=0)
        trainer = fastnn.Trainer(
            net, nn.MSELoss(reduction="sum"), optim.SGD(net.parameters(), lr=0.0), comm=comm, blocks=4
        )
        kept = []
        for rows in (1, 1, 4):
            trainer.step(np.zeros((rows, 1)), np.zeros((rows, 64)))
            kept.append(net.parameters()["0.bias"].grad.copy())
        return kept

    drawn = [run(None), *of_ranks(2, run), *of_ranks(4, run)]
    for kept in drawn:
        assert all((a == b).all() for a, b in zip(kept, drawn[0], strict=True))
    one, again, four = drawn[0]
    assert (one != again).any()
    assert len(np.unique(four / 8)) > 2  # 0 to 4 blocks keep a unit: they draw apart


def test_blocks_on_one_rank_draw_as_batches_that_share_an_update():
    """With dropout too, blocks of 3 rows are batches of 3 rows, 8 for an update."""
    layers = lambda: [nn.Linear(5, 16), nn.Dropout(0.3), nn.Linear(16, 2)]  # noqa: E731
    trainers = []
    for blocks, fit in ((8, {"batch_size": 24}), (None, {"batch_size": 3, "accumulate": 8})):
        trainer = trainer_of(None, layers=layers(), blocks=blocks, dtype="float64")
        trainer.fit(X[:96], NUMBERS[:96], epochs=2, seed=1, progress=False, **fit)
        trainers.append(trainer)
    np.testing.assert_allclose(*(t.net.parameters().data for t in trainers), rtol=1e-8)


# -- batch normalization -----------------------------------------------------------------------------------------------


def normalizing():
    return [nn.Linear(5, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)]


def test_running_statistics_are_the_mean_over_blocks_weighted_by_rows():
    x = X[:19].astype("float64")  # blocks of 3, the seventh of 1 would have no variance: 4 blocks of 5, 5, 5, 4

    def run(comm):
        trainer = trainer_of(comm, layers=normalizing(), dtype="float64", blocks=4)
        net = trainer.net
        h = x @ net[0].weight + net[0].bias
        trainer.step(x, NUMBERS[:19].astype("float64"))
        parts = [h[:5], h[5:10], h[10:15], h[15:]]
        mean = sum(len(part) * (0.1 * part.mean(0)) for part in parts) / 19
        var = sum(len(part) * (0.9 + 0.1 * part.var(0, ddof=1)) for part in parts) / 19
        np.testing.assert_allclose(net[1].running_mean, mean, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(net[1].running_var, var, rtol=1e-10)
        assert int(net[1].num_batches_tracked) == 1

    for size in (1, 2, 3, 4):
        of_ranks(size, run)


def test_any_number_of_ranks_has_the_running_statistics_of_one():
    for momentum in (0.1, None):
        layers = lambda: [nn.Linear(5, 4), nn.BatchNorm1d(4, momentum=momentum), nn.Linear(4, 2)]  # noqa: B023, E731

        def run(comm):
            trainer = trainer_of(comm, layers=layers(), blocks=4)  # noqa: B023
            trainer.fit(X[:96], NUMBERS[:96], epochs=2, batch_size=16, accumulate=2, seed=0, progress=False)
            return b"".join(array.tobytes() for array in trainer.net.state_dict().values())

        assert len({run(None), *of_ranks(2, run), *of_ranks(3, run), *of_ranks(4, run)}) == 1


def test_a_block_of_a_single_row_has_no_variance():
    with pytest.raises(ValueError, match=r"a batch of 4 rows is cut into blocks=8: 1 BatchNorm1d: .* has 1 row"):
        trainer_of(layers=normalizing()).fit(X[:100], NUMBERS[:100], batch_size=24, progress=False)
    with pytest.raises(ValueError, match="a batch of 8 rows is cut into blocks=8"):
        trainer_of(layers=normalizing()).step(X[:8], NUMBERS[:8])


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_what_cannot_be_cut_into_blocks_is_refused():
    with pytest.raises(ValueError, match="comm: LBFGS looks at all samples in each step"):
        trainer_of(optimizer=optim.LBFGS)
    with pytest.raises(ValueError, match="comm: RMSELoss is a root over a whole batch"):
        trainer_of(loss=nn.RMSELoss())
    trainer = trainer_of()
    with pytest.raises(ValueError, match="RMSELoss"):
        trainer.loss = nn.RMSELoss()
    assert type(trainer.loss) is nn.MSELoss
    with pytest.raises(ValueError, match=r"comm: x must be all samples, on each rank.*iterable"):
        trainer.fit([(X, NUMBERS)], progress=False)


def test_a_bad_row_is_named_on_all_ranks_and_nothing_changes():
    y = LABELS.copy()
    y[70] = 3

    def run(comm):
        trainer = trainer_of(comm, outputs=3, loss=nn.CrossEntropyLoss())
        before = trainer.net.parameters().data.copy()
        try:
            trainer.fit(X, y, batch_size=101, progress=False)
        except (ValueError, RuntimeError) as error:
            assert (trainer.net.parameters().data == before).all() and trainer.net._tick[0] == 0
            return f"{type(error).__name__}: {error}"

    for size in (1, 2, 4):
        errors = of_ranks(size, run)
        assert all("y[70] is 3" in error for error in errors), errors
        assert sum(error.startswith("ValueError") for error in errors) == 1
        assert sum(error.startswith(f"RankError: rank {r} of {size} raised ValueError") for error in errors
                   for r in range(size)) == size - 1  # fmt: skip


def test_nan_in_the_data_is_named_on_all_ranks():
    x = X.copy()
    x[33, 2] = np.nan
    for size in (1, 2, 3):
        for error in run_ranks(size, lambda comm: trainer_of(comm).fit(x, NUMBERS, progress=False)):
            assert type(error) is ValueError and str(error) == "x[33, 2] is nan: x must be finite"


@pytest.mark.filterwarnings("ignore:the loss of batch:RuntimeWarning")
def test_a_run_whose_loss_overflows_goes_on_as_without_blocks():
    make = {"optimizer": lambda p: optim.SGD(p, lr=1e20), "fit": {"epochs": 3}}
    trainer = fitted(sizes=(2, 3), **make)
    assert np.isnan(trainer.history["loss"][-1])


def test_a_trainer_is_copied_without_its_ranks_and_looked_at_alone():
    def run(comm):
        trainer = trainer_of(comm)
        if comm.Get_rank() == 1:
            trainer.evaluate(X, NUMBERS)
            trainer.health(X, NUMBERS)
            trainer.find_lr(X, NUMBERS, steps=20)
        return trainer.step(X, NUMBERS)

    assert len(set(of_ranks(2, run))) == 1


def test_many_networks_are_not_shared():
    with pytest.raises(ValueError, match=r"trainers\[0\] has comm or blocks"):
        fastnn.fit_many([trainer_of()], X, NUMBERS)


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_a_run_tells_what_an_update_would_divide_by(backend):
    """The weights of its rows, or their number times the mean weight of all."""
    engine = trainer_of(blocks=4).engine
    data = engine.data(X[:12], NUMBERS[:12], WEIGHTS[:12])
    program = engine.get("step", data, 12)
    run = BatchRun(data.x, data.y, data.weight, None, 0, 7, 3, None, np.zeros(5), False, divisor=np.zeros(1))
    with fastnn.use_backend(backend):
        program.executor.run_batches(*program.span("forward", "backward"), run)
        np.testing.assert_allclose(run.divisor, 2 * WEIGHTS[:7].sum(dtype="float64"), rtol=1e-6)
        program.executor.run_batches(*program.span("forward", "backward"), replace(run, mean_weight=1.5))
    np.testing.assert_allclose(run.divisor, 2 * 7 * 1.5)
