"""Curves of runs are their records."""

import pytest

pytest.importorskip("matplotlib")


from fastnn import History, viz

from .cases import model


def test_history_by_record():
    figure, data = viz.history(model(), return_data=True)
    history = model().history
    for name in ("loss", "val_loss", "accuracy", "val_accuracy"):
        epochs, values = data["", name]
        assert values.tolist() == history[name] and epochs.tolist() == list(range(1, 13))
    lines = {line.get_label(): line.get_ydata().tolist() for line in figure.axes[1].get_lines()}
    assert lines == {"training": history["accuracy"], "validation": history["val_accuracy"]}


def test_histories_are_compared():
    a, b = History([{"loss": 2.0}, {"loss": 1.0}], initial_epoch=3), History([{"loss": 5.0, "val_loss": 4.0}])
    ax, data = viz.history({"a": a, "b": b}, ["loss"], return_data=True)
    assert data["a", "loss"][0].tolist() == [4, 5]
    assert [line.get_label() for line in ax.get_lines()] == ["a", "b", "b, validation"]


def test_history_of_an_estimator():
    class Fitted:
        loss_curve_ = (3.0, 2.0)

    _, data = viz.history(Fitted(), return_data=True)
    assert data["", "loss"][1].tolist() == [3, 2]


def test_epochs_without_a_value_do_not_cut_the_line():
    """Validation every other epoch, as `validation_freq=2` records it."""
    ax = viz.history(History([{"loss": 3.0, "val_loss": 4.0}, {"loss": 2.0}, {"loss": 1.0, "val_loss": 3.5}]))
    assert ax.get_lines()[1].get_xydata().tolist() == [[1, 4], [3, 3.5]]
    assert viz.history(History([{"loss": 3.0}, {"loss": 2.0}]), log=True).get_yscale() == "log"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: viz.history(3), TypeError, "runs must be a History, a Trainer or a dict of them, got int"),
        (lambda: viz.history(History()), ValueError, "no epoch is recorded: train first"),
        (lambda: viz.history(model(), ["f1"]), ValueError, "no record 'f1'; there are loss, accuracy"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
