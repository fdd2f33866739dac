"""The progress bar."""

import io
import os
import re
import subprocess
import sys

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


ON_A_TERMINAL = """
import fcntl, struct, sys, termios
fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, {columns}, 0, 0))
import numpy as np, fastnn
from fastnn import nn, optim
x, y = np.zeros((100, 2), "float32"), np.zeros(100, "int64")
net = nn.Sequential(nn.Linear(2, 2), seed=0)
trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()), metrics=["f1", "precision"])
trainer.fit({x}, epochs=12, validation_data=(x, y), progress=True)
"""


@pytest.mark.parametrize("columns", [60, 80, 160])
@pytest.mark.parametrize("x", ["x, y", "[(x, y)]"])
def test_a_bar_fits_the_terminal_and_shows_the_losses_first(columns, x):
    parent, child = os.openpty()
    code = ON_A_TERMINAL.format(columns=columns, x=x)
    process = subprocess.Popen([sys.executable, "-c", code], stderr=child, cwd=os.getcwd())
    os.close(child)
    shown = b""
    try:
        while piece := os.read(parent, 4096):
            shown += piece
    except OSError:  # the other side is closed
        pass
    finally:
        os.close(parent)
    assert process.wait() == 0, shown.decode()
    lines = [line for line in shown.decode().replace("\n", "\r").split("\r") if line.strip()]
    assert max(map(len, lines)) < columns
    assert all(re.search(r"epoch \d+/12.*loss=0\.\d+, val_loss=0\.\d+[],]", line) for line in lines if "epoch" in line)
    assert ("accuracy=" in lines[-1], "samples/s" in lines[-1]) == (columns == 160,) * 2 or x != "x, y"


def test_lines_for_logs(capsys):
    _, trainer, x, y = make()
    history = trainer.fit(x, y, epochs=10, progress="lines", validation_data=(x, y))
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert len(lines) == 10 and shown.err == ""
    loss, accuracy = history["loss"][8], history["accuracy"][8]
    start = f"epoch  9/10  loss {loss:.4g}  val_loss {history['val_loss'][8]:.4g}  accuracy {accuracy:.4g}  val_acc"
    assert lines[8].startswith(start) and lines[8].endswith(f"  {history['seconds'][8]:.2f} s")
