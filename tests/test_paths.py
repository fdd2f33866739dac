"""Arguments that are paths: what is none is refused by the name of the argument."""

import pathlib

import pytest

from fastnn import callbacks
from fastnn.training.paths import check_path
from support.resumable import bits, data, make_trainer


def test_paths_are_taken_as_they_are():
    assert check_path("path", "a") == check_path("path", pathlib.Path("a")) == "a"
    assert check_path("path", b"a") == b"a"


@pytest.mark.parametrize("value", [3, 2.5, True, ["a"], object()], ids=repr)
def test_fit_names_the_checkpoint_that_is_no_path(value):
    x, y, _ = data()
    trainer = make_trainer()
    before = bits(trainer)
    for resume in (False, True):
        with pytest.raises(TypeError, match=f"^checkpoint must be a str or a path, got {type(value).__name__}$"):
            trainer.fit(x, y, checkpoint=value, resume=resume)
    assert bits(trainer) == before


@pytest.mark.parametrize(
    ("make", "name"),
    [(callbacks.ModelCheckpoint, "path"), (callbacks.CSVLogger, "path"), (callbacks.TensorBoard, "log_dir")],
)
def test_callbacks_name_the_argument_that_is_no_path(make, name):
    with pytest.raises(TypeError, match=f"^{name} must be a str or a path, got int$"):
        make(3)
