"""The progress bar."""

import io

import pytest

from test_trainer import make, weights


def test_a_bar_shows_epoch_loss_and_speed(capsys):
    net, trainer, x, y = make()
    twin, twin_trainer, *_ = make()
    trainer.fit(x, y, epochs=3, batch_size=2, progress=True, validation_data=(x, y))
    shown = capsys.readouterr()
    last = shown.err.split("\r")[-1]
    for part in ("epoch 3/3", "100%", "111/111", "samples/s", "loss=", "accuracy=", "val_loss="):
        assert part in last
    assert shown.out == ""
    twin_trainer.fit(x, y, epochs=3, batch_size=2, progress=False)
    assert weights(net) == weights(twin)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_shown_where_somebody_can_see_it(terminal, monkeypatch):
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr("sys.stderr", stream)
    _, trainer, x, y = make()
    trainer.fit(x, y)
    assert ("epoch 1/1" in stream.getvalue()) == terminal
