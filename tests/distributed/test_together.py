"""Runs of several ranks: callbacks on rank 0, how they end, checkpoints, and what is compared before they begin."""

import signal
import threading

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.callbacks import EarlyStopping, ModelCheckpoint
from fastnn.distributed import RankError
from support.ranks import of_ranks, run_ranks

RNG = np.random.default_rng(1)
X = RNG.normal(size=(96, 4)).astype("float32")
Y = np.tanh(X @ RNG.normal(size=(4, 1))).astype("float32")
HELD = X[:30], Y[:30]


def trainer_of(comm=None, seed=0, width=8, blocks=8, scheduler=None, lr=0.01, **more):
    net = nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 1), seed=seed)
    optimizer = optim.Adam(net.parameters(), lr=lr)
    more["scheduler"] = None if scheduler is None else scheduler(optimizer)
    return fastnn.Trainer(net, nn.MSELoss(), optimizer, comm=comm, blocks=blocks, **more)


def fit(trainer, x=X, y=Y, **arguments):
    arguments = {"epochs": 5, "batch_size": 16, "seed": 0, "progress": False} | arguments
    return trainer.fit(x, y, **arguments)


def state(trainer):
    """All that decides how training goes on, and the records, but for seconds."""
    run = [{name: value for name, value in row.items() if name != "seconds"} for row in trainer.history.rows]
    arrays = [trainer.net._tick, *trainer.net.state_dict().values(), trainer.optimizer.hyper,
              *trainer.optimizer.states.values(), trainer.optimizer.step_count]  # fmt: skip
    scheduler = None if trainer.scheduler is None else repr(trainer.scheduler.state_dict())
    return repr((run, trainer.history.stopped, trainer.engine.epochs, scheduler)), *(a.tobytes() for a in arrays)


def same_everywhere(run, sizes=(1, 2, 3, 4)):
    """`run(comm)` returns a trainer, with the same state on each rank of each size as in a process alone."""
    alone = run(None)
    for size in sizes:
        for rank, trainer in enumerate(of_ranks(size, run)):
            assert state(trainer) == state(alone), (size, rank)
    return alone


# -- callbacks ---------------------------------------------------------------------------------------------------------


class Noting(fastnn.Callback):
    def __init__(self):
        self.moments = []

    def on_train_begin(self, run):
        self.moments.append("begin")

    def on_epoch_end(self, run):
        self.moments.append(run.epoch)
        run.logs["extra"] = run.epoch / 2

    def on_train_end(self, run):
        self.moments.append("end")


def test_callbacks_are_called_on_rank_0_and_their_records_known_to_all():
    def run(comm):
        callback, trainer = Noting(), trainer_of(comm)
        fit(trainer, callbacks=[callback], epochs=2)
        assert trainer.history["extra"] == [0.5, 1.0]
        return callback.moments

    assert of_ranks(3, run) == [["begin", 1, 2, "end"], [], []]


def test_callbacks_that_change_nothing_cost_no_message():
    """The end alone is told; what changes the weights for a while, as validation with their average does, is not."""

    def run(comm):
        net = nn.Sequential(nn.Linear(4, 1), seed=0)
        optimizer, average = optim.Adam(net.parameters()), optim.SWA(net.parameters())
        trainer = fastnn.Trainer(net, nn.MSELoss(), optimizer, average=average, comm=comm)
        fit(trainer, callbacks=[Noting(), Stopping()], validation_data=HELD, validate_average=True)
        return comm.broadcasts, trainer.engine.team._meetings

    assert of_ranks(2, run) == [(1, 5 * 7 + 1)] * 2  # five epochs of six batches and a validation


class Stopping(fastnn.Callback):
    """Stops the run at a moment: after so many batches or epochs."""

    def __init__(self, batch=None, epoch=None, every=1):
        self.after, self.epoch, self.every, self.count = batch, epoch, every, 0

    def on_batch_end(self, run):
        self.count += self.every
        if self.after is not None and self.count >= self.after:
            run.stop("enough")

    def on_epoch_end(self, run):
        if run.epoch == self.epoch:
            run.stop("enough")


@pytest.mark.parametrize("when", [{"batch": 1}, {"batch": 6}, {"batch": 8}, {"epoch": 1}, {"epoch": 5}, {"batch": 30}])
@pytest.mark.parametrize("validated", [False, True])
def test_a_run_that_is_stopped_ends_on_all_ranks_at_once(when, validated):
    def run(comm):
        make = lambda optimizer: optim.lr_scheduler.StepLR(optimizer, 2)  # noqa: E731
        trainer = trainer_of(comm, scheduler=make)
        fit(trainer, callbacks=[Stopping(**when)], **({"validation_data": HELD} if validated else {}))
        return trainer

    assert same_everywhere(run, (1, 2, 3)).history.stopped == "enough"


class Changing(fastnn.Callback):
    def on_epoch_begin(self, run):
        if run.epoch == 1:
            run.net.parameters().data[3] = 0.25
        if run.epoch == 2:
            run.optimizer.lr = 0.5

    def on_batch_end(self, run):
        if run.epoch == 3 and run.batch == 2:
            run.optimizer.states["exp_avg"][...] = 0

    def on_train_end(self, run):
        run.net[0].bias[...] = 7


def test_what_a_callback_changes_is_told_to_all_ranks():
    def run(comm):
        trainer = trainer_of(comm)
        fit(trainer, callbacks=[Changing()])
        return trainer

    assert (same_everywhere(run).net[0].bias == 7).all()


def test_early_stopping_restores_the_best_weights_on_all_ranks():
    def run(comm):
        trainer = trainer_of(comm, lr=0.3)
        stopping = EarlyStopping(monitor="val_loss", patience=1, restore_best=True)
        fit(trainer, callbacks=[stopping], epochs=40, validation_data=HELD)
        return trainer

    assert same_everywhere(run).history.epochs < 40


def test_a_callback_that_unfreezes_layers_on_rank_0_alone_is_an_error_on_all():
    class Freezing(fastnn.Callback):
        def on_epoch_end(self, run):
            run.net[0].requires_grad_(False)

    errors = run_ranks(2, lambda comm: fit(trainer_of(comm), callbacks=[Freezing()]))
    assert type(errors[0]) is RuntimeError and "which parameters are trained" in str(errors[0])
    assert str(errors[1]).startswith("rank 0 of 2 raised RuntimeError: a callback changed which parameters")


def test_an_error_in_a_callback_ends_the_run_on_all_ranks():
    class Failing(fastnn.Callback):
        def on_epoch_end(self, run):
            if run.epoch == 2:
                raise OSError("no space left")

    def run(comm):
        trainer = trainer_of(comm)
        with pytest.raises((OSError, RankError), match="no space left"):
            fit(trainer, callbacks=[Failing()])
        return trainer

    same_everywhere(run)


@pytest.mark.parametrize("moment", ["on_train_begin", "on_train_end", "on_epoch_begin", "on_batch_end"])
def test_an_error_at_any_moment_ends_the_run_on_all_ranks(moment):
    def fail(self, run):
        raise ZeroDivisionError("of a callback")

    callback = type("Failing", (fastnn.Callback,), {moment: fail})
    first, *others = run_ranks(3, lambda comm: fit(trainer_of(comm), callbacks=[callback()]))
    assert type(first) is ZeroDivisionError
    assert [str(error) for error in others] == ["rank 0 of 3 raised ZeroDivisionError: of a callback"] * 2


def test_an_error_on_another_rank_than_0_ends_the_run_on_all():
    """Here in a loss in Python, which every rank calls for its own blocks."""

    def run(comm):
        calls = []

        def loss(y_pred, y):
            calls.append(1)
            if comm.Get_rank() == 1 and len(calls) == 50:
                raise ArithmeticError("of a loss")
            return float(((y_pred - y) ** 2).mean()), 2 * (y_pred - y) / y.size

        trainer = trainer_of(comm)
        trainer.loss = loss
        callback = Noting()
        try:
            fit(trainer, callbacks=[callback])
        except (ArithmeticError, RankError) as error:
            return str(error), type(error), callback.moments[-1:], state(trainer)

    first, second, third = of_ranks(3, run)
    assert second[:2] == ("of a loss", ArithmeticError) and first[2] == ["end"]
    for other in (first, third):
        assert other[:2] == ("rank 1 of 3 raised ArithmeticError: of a loss", RankError)
    assert first[3] == second[3] == third[3]


def test_a_trainer_can_be_used_after_an_error_of_another_rank():
    def run(comm):
        trainer = trainer_of(comm)
        x = X[:, :3] if comm.Get_rank() == 1 else X
        with pytest.raises((ValueError, RankError), match="x has 3 features"):
            fit(trainer, x)
        with pytest.raises((ValueError, RankError), match="x has 3 features"):
            trainer.step(x, Y)
        fit(trainer)
        trainer.step(X, Y)
        return state(trainer)

    def alone(comm):
        trainer = trainer_of(comm)
        fit(trainer)
        trainer.step(X, Y)
        return state(trainer)

    assert set(of_ranks(2, run)) == {alone(None)}


def test_steps_of_batches_that_differ_are_refused():
    def run(comm):
        rows = 16 - comm.Get_rank()
        return trainer_of(comm).step(X[:rows], Y[:rows])

    for error in run_ranks(2, run):
        assert (
            "ranks must have the same x: rank 1 has float32 of shape (15, 4), rank 0 has float32 of shape (16, 4)"
            in str(error)
        )


# -- Ctrl-C ------------------------------------------------------------------------------------------------------------


def test_ctrl_c_ends_a_run_between_two_updates():
    class Interrupting(fastnn.Callback):
        def on_batch_end(self, run):
            if run.batch == 3:
                signal.raise_signal(signal.SIGINT)

    trainer = trainer_of()
    with pytest.raises(KeyboardInterrupt, match="fit was interrupted in epoch 1 of 5 after 3 batches"):
        fit(trainer, callbacks=[Interrupting()])
    assert trainer.history.interrupted and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    other = trainer_of()
    fit(other, callbacks=[Stopping(batch=3)])
    assert trainer.net.parameters().data.tobytes() == other.net.parameters().data.tobytes()


def test_ctrl_c_of_one_rank_ends_the_run_of_all():
    class Interrupting(fastnn.Callback):
        def on_epoch_end(self, run):
            run.engine.team.interrupted = True  # what the handler of the signal sets

    def run(comm):
        trainer = trainer_of(comm)
        with pytest.raises(KeyboardInterrupt, match="interrupted in epoch 2 of 5 after 0 batches"):
            fit(trainer, callbacks=[Interrupting()])
        return trainer

    same_everywhere(run)


# -- checkpoints -------------------------------------------------------------------------------------------------------


def test_a_checkpoint_resumes_on_any_number_of_ranks_with_the_same_bits(tmp_path):
    def run(comm, path, stop=None, resume=False):
        trainer = trainer_of(comm, scheduler=lambda o: optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=40))
        callbacks = [EarlyStopping(monitor="val_loss", patience=50), Stopping(batch=stop)]
        fit(trainer, callbacks=callbacks, validation_data=HELD, checkpoint=path, checkpoint_every=1, resume=resume)
        return trainer

    class Killed(BaseException):
        pass

    class Kill(Stopping):
        def on_batch_end(self, run):
            self.count += 1
            if self.count == 14:
                raise Killed

    right = state(run(None, tmp_path / "right"))
    for before, after in ((1, 2), (2, 4), (4, 3), (3, 1)):
        path = tmp_path / f"{before}-{after}"

        def first(comm, path=path):
            trainer = trainer_of(comm, scheduler=lambda o: optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=40))
            callbacks = [EarlyStopping(monitor="val_loss", patience=50), Kill()]
            callbacks[1].__class__.__name__ = "Stopping"
            fit(trainer, callbacks=callbacks, validation_data=HELD, checkpoint=path, checkpoint_every=1)

        assert all(isinstance(error, Killed | RankError) for error in run_ranks(before, first))
        for trainer in of_ranks(after, lambda comm, path=path: run(comm, path, resume=True)):
            assert state(trainer) == right


def test_one_checkpoint_is_written_and_other_ranks_need_no_file(tmp_path):
    """Each rank is given a path of its own: only that of rank 0 is used."""

    def run(comm, epochs, resume):
        path = tmp_path / f"rank{comm.Get_rank()}"
        trainer = trainer_of(comm)
        fit(trainer, epochs=epochs, checkpoint=path, resume=resume)
        return trainer

    of_ranks(3, lambda comm: run(comm, 2, False))
    assert [path.name for path in tmp_path.iterdir()] == ["rank0"]
    for trainer in of_ranks(3, lambda comm: run(comm, 5, True)):
        other = trainer_of()
        fit(other)
        assert state(trainer)[1:] == state(other)[1:]


def test_a_checkpoint_of_other_blocks_is_refused_on_all_ranks(tmp_path):
    path = tmp_path / "run"
    fit(trainer_of(), checkpoint=path)
    for blocks in (4, None):
        with pytest.raises(ValueError, match=f"blocks must be 8 as in the run to go on with, got {blocks}"):
            fit(trainer_of(blocks=blocks), checkpoint=path, resume=True)
    for error in run_ranks(2, lambda comm: fit(trainer_of(comm, blocks=4), checkpoint=path, resume=True)):
        assert "blocks must be 8 as in the run to go on with, got 4" in str(error)
    plain = tmp_path / "plain"
    fit(trainer_of(blocks=None), checkpoint=plain)
    with pytest.raises(ValueError, match="blocks must be None as in the run to go on with, got 8"):
        fit(trainer_of(), checkpoint=plain, resume=True)


def test_a_damaged_checkpoint_is_an_error_on_all_ranks(tmp_path):
    path = tmp_path / "run"
    path.write_bytes(b"no checkpoint")
    for error in run_ranks(2, lambda comm: fit(trainer_of(comm), checkpoint=path, resume=True)):
        assert isinstance(error, fastnn.FileFormatError | RankError)


def test_model_checkpoints_are_written_by_rank_0(tmp_path):
    def run(comm):
        path = tmp_path / f"best{comm.Get_rank()}"
        trainer = trainer_of(comm)
        fit(trainer, callbacks=[ModelCheckpoint(path, monitor="val_loss")], validation_data=HELD)
        return trainer

    of_ranks(2, run)
    assert [path.name for path in tmp_path.iterdir()] == ["best0"]


# -- what must be the same ---------------------------------------------------------------------------------------------


def differing(**of_rank_1):
    """The message on each of two ranks, the second of which does something else."""

    def run(comm):
        more = of_rank_1 if comm.Get_rank() == 1 else {}
        make = {name: value for name, value in more.items() if name in ("seed", "width", "lr", "l2", "blocks")}
        trainer = trainer_of(comm, **make)
        before = trainer.net.parameters().data.copy()
        try:
            fit(trainer, **{name: value for name, value in more.items() if name not in make})
        except (ValueError, RuntimeError) as error:
            assert (trainer.net.parameters().data == before).all()
            assert trainer.net._tick[0] == 0 and trainer.history.epochs == 0
            return str(error)

    first, second = of_ranks(2, run)
    assert first == second
    return first


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"width": 9},
            "same network: rank 1 has (0): Linear(in_features=4, out_features=9) 45, rank 0 has (0): Linear(",
        ),
        ({"seed": 1}, "same random seed: rank 1 has seed=1, rank 0 has seed=0: give the network a seed"),
        ({"lr": 0.5}, "same optimizer: rank 1 has Adam"),
        ({"l2": 0.5}, "same penalties: rank 1 has l1=0.0, l2=0.5"),
        ({"blocks": 4}, "same blocks: rank 1 has 4 blocks, rank 0 has 8 blocks"),
        ({"epochs": 6}, "same epochs: rank 1 has 6, rank 0 has 5: all ranks must run the same script"),
        ({"batch_size": 8}, "same batch_size: rank 1 has 8, rank 0 has 16"),
        ({"seed": 0, "x": X[:90], "y": Y[:90]}, "same x: rank 1 has float32 of shape (90, 4), rank 0 has"),
        (
            {"x": X + 1},
            "same x: rank 1 has other values than rank 0 (float32 of shape (96, 4)): each rank is given all",
        ),
        ({"y": Y[::-1]}, "same y: rank 1 has other values"),
        ({"sample_weight": np.ones(96)}, "same sample_weight: rank 1 has float32 of shape (96,), rank 0 has none"),
        ({"validation_data": HELD}, "same validation x: rank 1 has float32 of shape (30, 4), rank 0 has none"),
        ({"transform": fastnn.data.Mixup(0.3)}, "same transform: rank 1 has Mixup"),
    ],
)
def test_ranks_that_differ_are_told_before_anything_is_trained(other, message):
    assert message in differing(**other)


def test_weights_that_differ():
    def run(comm):
        trainer = trainer_of(comm)
        trainer.net[0].weight[0, 0] += comm.Get_rank()
        fit(trainer)

    for error in run_ranks(2, run):
        assert "same initial weights: rank 1 has other values than rank 0 (49 parameters): give the" in str(error)


def test_a_bar_is_shown_by_rank_0_alone(capsys):
    of_ranks(2, lambda comm: fit(trainer_of(comm), progress="lines", epochs=2))
    assert capsys.readouterr().out.count("loss") == 2


def test_threads_do_not_touch_the_handler_of_ctrl_c():
    of_ranks(2, lambda comm: fit(trainer_of(comm)))
    assert threading.current_thread() is threading.main_thread()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_step_in_a_callback_is_refused_on_all_ranks():
    class Stepping(fastnn.Callback):
        def on_epoch_end(self, run):
            run.trainer.evaluate(X, Y)  # looks at all samples, on rank 0
            run.trainer.step(X, Y)

    for error in run_ranks(2, lambda comm: fit(trainer_of(comm), callbacks=[Stepping()])):
        assert "trainer.step trains on all ranks: a callback runs on rank 0 alone" in str(error)
