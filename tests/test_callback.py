"""The protocol of callbacks: when they are called, and what errors in them leave behind."""

import numpy as np
import pytest

from support.runs import BATCH, At, BatchDiary, Diary, bits, make

pytestmark = pytest.mark.usefixtures("backend")


def test_callbacks_are_told_in_order():
    trainer, x, y = make()
    diary, batches = Diary(), BatchDiary(every=3)
    trainer.fit(x, y, epochs=2, batch_size=BATCH, callbacks=[diary, batches])
    assert diary.entries == [
        ("train_begin", 0, 0), ("epoch_begin", 0, 0), ("epoch_end", 1, 0), ("epoch_begin", 1, 0), ("epoch_end", 2, 0),
        ("train_end", 2, 0),
    ]  # fmt: skip
    assert batches.entries == [
        ("train_begin", 0, 0), ("epoch_begin", 0, 0), ("batch_end", 0, 3), ("batch_end", 0, 6), ("epoch_end", 1, 0),
        ("epoch_begin", 1, 0), ("batch_end", 1, 3), ("batch_end", 1, 6), ("epoch_end", 2, 0), ("train_end", 2, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("moment", ["on_train_begin", "on_epoch_begin", "on_batch_end", "on_epoch_end"])
def test_an_error_in_a_callback_leaves_everything_usable(moment, error):
    trainer, x, y = make()
    first, last = Diary(), Diary()

    def fail(run):
        raise error("in a callback")

    trouble = At(moment, fail)
    with pytest.raises(error, match="in a callback"):
        trainer.fit(x, y, batch_size=BATCH, callbacks=[first, trouble, last])
    assert (trainer.history.interrupted, trainer.history.stopped) == (error is KeyboardInterrupt, None)
    begun = moment != "on_train_begin"
    assert first.entries[-1][0] == "train_end"
    assert (trouble.ended, bool(last.entries)) == (begun, begun)
    assert trainer.history.epochs == (moment == "on_epoch_end")
    assert trainer.run is None
    assert np.isfinite(trainer.fit(x, y)["loss"]).all()


def test_an_error_in_one_end_does_not_keep_the_others_from_ending():
    trainer, x, y = make()
    diary = Diary()

    def fail(run):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        trainer.fit(x, y, callbacks=[diary, At("on_train_end", fail)])
    assert diary.entries[-1] == ("train_end", 1, 0)
    assert trainer.history.epochs == 1


@pytest.mark.parametrize(
    ("callbacks", "error", "message"),
    [
        (Diary(), TypeError, "callbacks must be a list of callbacks, got Diary"),
        (3, TypeError, "callbacks must be a list of callbacks, got int"),
        ([Diary], TypeError, r"callbacks\[0\] must be an object, not the class: write Diary\(\)"),
        ([Diary(), print], TypeError, r"callbacks\[1\] must be a fastnn.Callback, got builtin_function"),
        ([BatchDiary(0)], ValueError, r"callbacks\[0\].every must be at least 1, got 0"),
        ([BatchDiary(0.1)], TypeError, r"callbacks\[0\].every must be an integer, got float"),
    ],
)
def test_wrong_callbacks_are_explained(callbacks, error, message):
    trainer, x, y = make()
    before = bits(trainer)
    with pytest.raises(error, match=message):
        trainer.fit(x, y, callbacks=callbacks)
    assert bits(trainer) == before


def test_ctrl_c_ends_a_loop_of_fits():
    trainer, x, y = make()

    def interrupt(run):
        if run.epoch == 1 and run.batch == 2:
            raise KeyboardInterrupt

    def fits():
        for _ in range(3):
            trainer.fit(x, y, epochs=4, batch_size=BATCH, callbacks=[At("on_batch_end", interrupt)])

    with pytest.raises(KeyboardInterrupt) as caught:
        fits()
    assert str(caught.value) == (
        "fit was interrupted in epoch 2 of 4 after 2 batches; trainer.history has the epochs that were done"
    )
    assert trainer.history.interrupted and trainer.history.epochs == 1
    assert dict.__len__(trainer.history) == len(trainer.history) > 0  # for pandas and json
