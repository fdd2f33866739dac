"""Schedulers in the trainer: the rates of each batch, whatever ends a run, on both backends."""

import copy
import math

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn._core.program import NativeProgram
from fastnn.compiler.batch_run import BatchRun
from fastnn.optim import lr_scheduler as schedulers
from support.runs import BATCH, BATCHES, At, BatchDiary, bits, interrupted, make

EPOCHS = 3

# By batch and by epoch; with momentum, without, composed, and written in Python.
SCHEDULES = {
    "one cycle": lambda o: schedulers.OneCycleLR(o, 0.05, EPOCHS * BATCHES),
    "cyclic": lambda o: schedulers.CyclicLR(o, 0.001, 0.05, step_size_up=5),
    "cosine": lambda o: schedulers.CosineAnnealingLR(o, 20, by="batch"),
    "warm-up": lambda o: schedulers.WarmupLR(o, 7, schedulers.ExponentialLR(o, 0.9, by="batch")),
    "chain": lambda o: schedulers.ChainedScheduler(
        [schedulers.LinearLR(o, by="batch"), schedulers.StepLR(o, 9, by="batch")]
    ),
    "lambda": lambda o: schedulers.LambdaLR(o, lambda step: 1 / (1 + step), by="batch"),
    "step": lambda o: schedulers.StepLR(o, 1, 0.5),
    "linear": lambda o: schedulers.LinearLR(o, total_iters=2),
    "sequence": lambda o: schedulers.SequentialLR(o, [schedulers.ConstantLR(o), schedulers.StepLR(o, 1)], [2]),
}


def scheduled(key, dtype="float64"):
    trainer, x, y = make(dtype)
    trainer.scheduler = SCHEDULES[key](trainer.optimizer)
    return trainer, x, y


def step_by_step(trainer, x, y, epochs):
    """What fit does without shuffling, written out."""
    rates = []
    for _ in range(epochs):
        rates.append(trainer.optimizer.lr)
        for start in range(0, len(x), BATCH):
            trainer.step(x[start : start + BATCH], y[start : start + BATCH])
            if trainer.scheduler.by == "batch":
                trainer.scheduler.step()
        if trainer.scheduler.by == "epoch":
            trainer.scheduler.step()
    return rates


@pytest.mark.parametrize("key", SCHEDULES)
def test_fit_has_the_bits_of_the_loop(key, dtype, backend):
    trainer, x, y = scheduled(key, dtype)
    history = trainer.fit(x, y, epochs=EPOCHS, batch_size=BATCH, shuffle=False)
    twin, *_ = scheduled(key, dtype)
    rates = step_by_step(twin, x, y, EPOCHS)
    assert bits(trainer) == bits(twin)
    assert np.array_equal(trainer.optimizer.hyper, twin.optimizer.hyper)
    assert trainer.scheduler.state_dict() == twin.scheduler.state_dict()
    assert history["lr"] == rates and len(set(rates)) > 1


@pytest.mark.parametrize("key", ["one cycle", "step"])
def test_rates_differ_from_those_of_no_scheduler(key):
    trainer, x, y = scheduled(key)
    trainer.fit(x, y, epochs=1, batch_size=BATCH)
    plain, *_ = make("float64")
    assert "lr" not in plain.fit(x, y, epochs=1, batch_size=BATCH).records
    assert (bits(trainer) == bits(plain)) == (key == "step"), "the first epoch of StepLR is at the base rate"


@pytest.mark.parametrize("key", ["cosine", "chain", "step"])
def test_slices_and_short_fits_change_nothing(key):
    """An epoch that comes up for a callback, and one call of fit for each epoch."""
    trainer, x, y = scheduled(key)
    history = trainer.fit(x, y, epochs=EPOCHS, batch_size=BATCH)
    sliced, *_ = scheduled(key)
    again = sliced.fit(x, y, epochs=EPOCHS, batch_size=BATCH, callbacks=[BatchDiary(every=3)])
    short, *_ = scheduled(key)
    rates = [short.fit(x, y, epochs=1, batch_size=BATCH)["lr"][0] for _ in range(EPOCHS)]
    assert bits(trainer) == bits(sliced) == bits(short)
    assert history["lr"] == again["lr"] == rates


def stop_after(batches):
    def action(run):
        if run.epoch * BATCHES + run.batch == batches:
            raise KeyboardInterrupt

    return At("on_batch_end", action)


@pytest.mark.parametrize("batches", [1, 5, BATCHES, BATCHES + 3])
def test_an_interrupted_run_leaves_the_scheduler_at_the_batches_done(batches, backend):
    trainer, x, y = scheduled("cosine")
    interrupted(trainer, x, y, epochs=EPOCHS, batch_size=BATCH, callbacks=[stop_after(batches)])
    assert trainer.scheduler.last_epoch == batches
    twin = schedulers.CosineAnnealingLR(make("float64")[0].optimizer, 20, by="batch")
    twin.advance(batches)
    assert [trainer.optimizer.lr] == trainer.scheduler.get_last_lr() == twin.get_last_lr()


def test_ctrl_c_within_the_loop_leaves_it_there_too(backend):
    trainer, x, _ = scheduled("cosine")

    def loss(y_pred, y):
        if trainer.net._tick[0] == 4:
            raise KeyboardInterrupt
        return 1.0, np.zeros_like(y_pred)

    trainer.loss = loss
    interrupted(trainer, x, np.zeros((len(x), 2)), epochs=1, batch_size=BATCH)
    assert trainer.scheduler.last_epoch == 4 and trainer.optimizer.lr == trainer.scheduler.get_last_lr()[0]


def test_a_bad_label_leaves_the_scheduler_at_the_batches_done(backend):
    trainer, x, y = scheduled("cosine")
    y = y.copy()
    y[3 * BATCH + 2] = 7
    with pytest.raises(ValueError, match="y\\[17\\] is 7"):
        trainer.fit(x, y, epochs=1, batch_size=BATCH, shuffle=False)
    assert trainer.scheduler.last_epoch == 3 and trainer.optimizer.lr == trainer.scheduler.get_last_lr()[0]


def test_a_loss_that_is_not_finite_moves_no_scheduler_twice(backend):
    """The batch is tried again without a halt: the rates go with the batches."""
    trainer, x, _ = make("float64")
    trainer.loss = lambda y_pred, y: (math.nan if trainer.net._tick[0] == 4 else 1.0, np.zeros_like(y_pred))
    trainer.scheduler = SCHEDULES["cosine"](trainer.optimizer)
    with pytest.warns(RuntimeWarning, match="the loss of batch . of epoch 1 is not finite"):
        trainer.fit(x, np.zeros((len(x), 2)), epochs=2, batch_size=BATCH)
    assert trainer.scheduler.last_epoch == 2 * BATCHES


@pytest.mark.parametrize("key", ["chain", "sequence"])
def test_states_go_on_bit_for_bit(key):
    trainer, x, y = scheduled(key)
    trainer.fit(x, y, epochs=2, batch_size=BATCH)
    twin, *_ = scheduled(key)
    twin.net.load_state_dict(trainer.net.state_dict())
    twin.net._tick[...] = trainer.net._tick
    twin.engine.epochs = trainer.engine.epochs
    twin.optimizer.load_state_dict(trainer.optimizer.state_dict())
    twin.scheduler.load_state_dict(trainer.scheduler.state_dict())
    for t in (trainer, twin, copied := copy.deepcopy(trainer)):
        t.fit(x, y, epochs=2, batch_size=BATCH)
    assert bits(trainer) == bits(twin) == bits(copied)
    assert copied.scheduler.optimizer is copied.optimizer


@pytest.mark.parametrize("key", [*SCHEDULES, "plateau"])
@pytest.mark.parametrize("batches", [3, BATCHES, 2 * BATCHES - 1])
def test_checkpoints_keep_the_schedule(key, batches, tmp_path):
    """A run that is cut off and resumed by other objects has the bits and the records of one that is not."""

    def begin():
        trainer, x, y = make("float64")
        more = {"plateau": lambda o: schedulers.ReduceLROnPlateau(o, factor=0.5, patience=0, threshold=0.5)}
        trainer.scheduler = (SCHEDULES | more)[key](trainer.optimizer)
        return trainer, lambda **keywords: trainer.fit(x, y, epochs=EPOCHS, batch_size=BATCH, **keywords)

    whole, fit = begin()
    expected = fit(callbacks=[BatchDiary()])["lr"]
    cut, fit = begin()
    path = tmp_path / "checkpoint"

    def save(run):
        if run.epoch * BATCHES + run.batch == batches:
            cut.save_checkpoint(path)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(callbacks=[At("on_batch_end", save)])
    resumed, fit = begin()
    resumed.load_checkpoint(path)
    assert fit(resume=True, callbacks=[At("on_batch_end", lambda run: None)])["lr"] == expected
    assert bits(resumed) == bits(whole)
    assert resumed.scheduler.state_dict() == whole.scheduler.state_dict()


def test_a_checkpoint_of_another_schedule_is_refused(tmp_path):
    trainer, *_ = make()
    trainer.scheduler = schedulers.StepLR(trainer.optimizer, 5)
    trainer.save_checkpoint(tmp_path / "checkpoint")
    for scheduler, message in (
        (schedulers.StepLR(trainer.optimizer, 6), "state is of StepLR with step_size=5, this has step_size=6"),
        (None, "checkpoint has the scheduler StepLR, this trainer none"),
    ):
        trainer.scheduler = scheduler
        with pytest.raises(ValueError, match=message):
            trainer.load_checkpoint(tmp_path / "checkpoint")


def test_full_batch_searches_have_schedules_too(backend):
    trainer, x, y = make("float64")
    trainer.optimizer = optim.LBFGS(trainer.net.parameters(), lr=0.5, max_iter=2)
    trainer.scheduler = schedulers.ExponentialLR(trainer.optimizer, 0.5, by="batch")
    assert trainer.fit(x, y, epochs=3, batch_size=None)["lr"] == [0.5, 0.25, 0.125]
    with pytest.raises(ValueError, match="LBFGS searches for the length of its steps: it needs no test"):
        trainer.find_lr(x, y)


def test_trainers_tell_their_schedule():
    assert ", scheduler=StepLR(step_size=1, gamma=0.5, by='epoch'))" in repr(scheduled("step")[0])


# -- plateaus ----------------------------------------------------------------------------------------------------------


def test_a_plateau_is_stepped_with_what_it_monitors(backend):
    trainer, x, y = make("float64", lr=0.0)
    trainer.optimizer.lr = 1e-9  # nothing becomes better
    trainer.scheduler = schedulers.ReduceLROnPlateau(trainer.optimizer, factor=0.5, patience=1, eps=0)
    history = trainer.fit(x, y, epochs=6, batch_size=BATCH, validation_data=(x, y))
    assert history["lr"] == [1e-9, 1e-9, 1e-9, 5e-10, 5e-10, 2.5e-10]
    assert trainer.scheduler.best == pytest.approx(min(history["val_loss"]), rel=1e-4)


def test_a_plateau_falls_back_to_the_loss_and_no_further():
    trainer, x, y = make()
    trainer.scheduler = schedulers.ReduceLROnPlateau(trainer.optimizer)
    history = trainer.fit(x, y, epochs=2, batch_size=BATCH)
    assert trainer.scheduler.best == min(history["loss"])
    trainer.scheduler = schedulers.ReduceLROnPlateau(trainer.optimizer, "max", monitor="val_accuracy")
    with pytest.raises(
        ValueError, match="monitor: there is no record 'val_accuracy', only accuracy, loss, lr, seconds"
    ):
        trainer.fit(x, y, epochs=1, batch_size=BATCH)
    trainer.scheduler = schedulers.ReduceLROnPlateau(trainer.optimizer, "max", monitor="val_accuracy")
    best = trainer.fit(x, y, epochs=2, batch_size=BATCH, validation_data=(x, y))["val_accuracy"]
    assert trainer.scheduler.best == max(best)


# -- errors ------------------------------------------------------------------------------------------------------------


def test_a_schedule_that_is_too_short_is_told_before_anything_is_trained():
    trainer, x, y = scheduled("one cycle")
    before = bits(trainer)
    with pytest.raises(ValueError, match="OneCycleLR has 24 steps and is at step 0: 32 more are too many"):
        trainer.fit(x, y, epochs=EPOCHS + 1, batch_size=BATCH)
    assert bits(trainer) == before and trainer.scheduler.last_epoch == 0
    trainer.fit(x, y, epochs=2, batch_size=BATCH)
    trainer.fit(x, y, epochs=1, batch_size=BATCH)
    with pytest.raises(ValueError, match="is at step 24: 8 more are too many"):
        trainer.fit(x, y, epochs=1, batch_size=BATCH)


def test_a_lambda_that_fails_does_so_before_the_epoch():
    trainer, x, y = make()
    factors = [1.0] * 10
    trainer.scheduler = schedulers.LambdaLR(trainer.optimizer, factors.__getitem__, by="batch")
    trainer.fit(x, y, epochs=1, batch_size=BATCH)
    before = bits(trainer)
    with pytest.raises(IndexError):
        trainer.fit(x, y, epochs=1, batch_size=BATCH)
    assert bits(trainer) == before and trainer.scheduler.last_epoch == BATCHES
    assert np.isfinite(trainer.step(x, y))


def test_schedulers_belong_to_the_optimizer():
    trainer, *_ = make()
    other, *_ = make()
    foreign = schedulers.StepLR(other.optimizer, 3)
    with pytest.raises(ValueError, match="scheduler must be of this trainer's optimizer"):
        fastnn.Trainer(trainer.net, trainer.loss, trainer.optimizer, foreign)
    with pytest.raises(TypeError, match=r"scheduler must be one of optim\.lr_scheduler, got float"):
        trainer.scheduler = 0.1
    trainer.scheduler = schedulers.StepLR(trainer.optimizer, 3)
    new = optim.SGD(trainer.net.parameters())
    with pytest.raises(ValueError, match="the scheduler is of the optimizer before"):
        trainer.optimizer = new
    assert trainer.optimizer is not new
    trainer.scheduler = None
    trainer.optimizer = new


# -- the compiled loop -------------------------------------------------------------------------------------------------


def run_batches(trainer, x, y, **keywords):
    """Three batches of the program itself."""
    program = trainer.compile(BATCH)
    labels = y.astype("int64")
    span = program.span("forward", "update")
    sums = np.zeros(5)
    run = BatchRun(x, labels, None, None, 0, 3 * BATCH, BATCH, None, sums, train=True, **keywords)
    program.executor.run_batches(*span, run)
    return sums


def test_the_loop_sets_places_and_records_losses(backend):
    trainer, x, y = make("float64")
    hyper = trainer.optimizer.hyper.reshape(-1)
    places = np.array([0], "int64")
    losses, table = np.full(4, -1.0), np.array([[0.1], [0.2], [0.3], [0.4]])
    sums = run_batches(trainer, x, y, schedule=(hyper, places, table), losses=losses)
    assert trainer.optimizer.lr == 0.3
    assert losses[2] == sums[0] and (losses[:3] > 0).all() and losses[3] == -1
    twin, *_ = make("float64")
    for i in range(3):
        twin.optimizer.lr = table[i, 0]
        assert twin.step(x[i * BATCH : i * BATCH + BATCH], y[i * BATCH : i * BATCH + BATCH]) == losses[i]
    assert bits(trainer) == bits(twin)


def test_the_loop_refuses_tables_that_do_not_fit():
    trainer, x, y = make("float64")
    assert isinstance(trainer.compile(BATCH).executor, NativeProgram)
    hyper, places, table = trainer.optimizer.hyper.reshape(-1), np.zeros(1, "int64"), np.ones((3, 1))
    before = bits(trainer)
    for keywords, message in (
        ({"schedule": (hyper, places, table[:2])}, r"the table of rates must have shape \(3, 1\), got \(2, 1\)"),
        ({"schedule": (hyper, places, np.ones((3, 2)))}, "the table of rates must have shape"),
        ({"schedule": (hyper, places - 1, table)}, "places must be between 0 and"),
        ({"schedule": (hyper, places + hyper.size, table)}, "places must be between 0 and"),
        ({"losses": np.zeros(2)}, "losses must have room for 3 batches, got 2"),
    ):
        with pytest.raises(ValueError, match=message):
            run_batches(trainer, x, y, **keywords)
    assert bits(trainer) == before


def test_threads_and_instruction_sets_change_no_bit(isas):
    results = set()
    for isa in [name for name in isas if name != "sse2"]:
        fastnn.set_isa(isa)
        trainer, x, y = scheduled("one cycle", "float32")
        trainer.fit(x, y, epochs=EPOCHS, batch_size=BATCH)
        results.add(bits(trainer))
    assert len(results) == 1


def test_a_python_loss_follows_the_schedule_too(backend):
    def half_square(y_pred, y):
        return 0.5 * float(((y_pred - y) ** 2).sum()), y_pred - y

    trainers = []
    for loss in (half_square, nn.MSELoss("sum")):
        trainer, x, _ = make("float64")
        trainer.loss = loss
        trainer.scheduler = SCHEDULES["cyclic"](trainer.optimizer)
        trainer.fit(x, np.ones((len(x), 2)), epochs=2, batch_size=BATCH)
        trainers.append(trainer)
    assert [t.scheduler.last_epoch for t in trainers] == [2 * BATCHES] * 2
    assert trainers[0].optimizer.lr == trainers[1].optimizer.lr


@pytest.mark.parametrize("accumulate", [1, 3])
def test_ctrl_c_while_the_state_goes_on_leaves_it_whole(accumulate, monkeypatch, backend):
    """The signal comes when the batches are done, but the scheduler does not know yet."""
    trainer, x, y = scheduled("cosine")
    real, calls = schedulers.LRScheduler.take_row, []

    def interrupt(self, row, step):
        calls.append(step)
        if len(calls) == 1:
            raise KeyboardInterrupt
        real(self, row, step)

    monkeypatch.setattr(schedulers.LRScheduler, "take_row", interrupt)
    interrupted(trainer, x, y, epochs=100, batch_size=BATCH, accumulate=accumulate)
    assert 0 < trainer.history.epochs < 100  # those of one compiled call
    updates = trainer.history.epochs * -(-BATCHES // accumulate)
    assert trainer.scheduler.last_epoch == trainer.optimizer.step_count[0] == updates
    assert [trainer.optimizer.lr] == trainer.scheduler.get_last_lr() == [trainer.scheduler.table(1)[0, 0]]
