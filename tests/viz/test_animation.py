"""Animations show the network at its snapshots, and become files."""

import pytest

pytest.importorskip("matplotlib")

import shutil

import numpy as np
from matplotlib import pyplot
from PIL import Image

import fastnn
from fastnn import viz
from fastnn.viz.animation import WHAT

from .cases import moons, trained


def options(what):
    return {"boundary": {"points": 15}, "units": {"points": 8}, "landscape": {"points": 5}}.get(what, {})


def make(what, frames=3, **more):
    data = moons() if what in ("boundary", "warp", "units", "landscape") else ()
    return viz.animate(trained()[1], what, *data, frames=frames, **options(what), **more)


@pytest.mark.parametrize("what", WHAT)
def test_every_picture_moves(what, tmp_path):
    before = trained()[0].net.parameters().data.copy()
    animation, data = make(what, return_data=True)
    viz.save(animation, tmp_path / "a.gif", dpi=40)
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 3
        pictures = []
        for i in range(3):
            image.seek(i)
            pictures.append(np.asarray(image.convert("L"), float))
    assert np.abs(pictures[0] - pictures[2]).max() > 50  # it is not the same picture
    assert data["steps"].tolist()[0] == 0 and data["steps"].tolist()[-1] == trained()[1].steps[-1]
    assert (trained()[0].net.parameters().data == before).all()


def test_a_frame_is_the_picture_of_the_snapshot():
    X, seen = moons()[0], []

    def draw(trainer, ax):
        seen.append(trainer.net.predict(X))
        ax.plot([0, 1])

    animation = viz.animate(trained()[1], draw, frames=4)
    seen.clear()
    animation._func(2)
    recorder = trained()[1]
    twin = fastnn.nn.Sequential(
        fastnn.nn.Linear(2, 4), fastnn.nn.Tanh(), fastnn.nn.Linear(4, 3), fastnn.nn.ReLU(), fastnn.nn.Linear(3, 2)
    )
    place = np.linspace(0, len(recorder) - 1, 4).round().astype(int)[2]
    twin.parameters().data[...] = recorder.parameters[place]
    np.testing.assert_array_equal(seen[0], twin.predict(X))
    assert animation._fig.get_suptitle() == f"step {recorder.steps[place]}, loss {recorder.losses[place]:.4f}"
    animation._draw_was_started = True  # nothing is to be written: no warning


def test_warped_grids_are_seen_from_one_place(monkeypatch):
    from fastnn.viz import animation as module

    seen, plain = [], module.warp_grid

    def spy(*arguments, **options):
        drawn = plain(*arguments, **options)
        seen.append(drawn[1]["directions"]["1"].copy())
        return drawn

    monkeypatch.setattr(module, "warp_grid", spy)
    animation = make("warp", frames=3)
    animation._draw_was_started = True
    assert len(seen) == 4 and all((one == seen[0]).all() for one in seen)


def test_html_page_with_buttons(tmp_path):
    with viz.style("dark"):
        animation = make("boundary", frames=2)
    viz.save(animation, tmp_path / "a.html", dpi=50)
    text = (tmp_path / "a.html").read_text()
    assert text.startswith("<!DOCTYPE html>") and "#14171c" in text and text.count('"iVBOR') == 2
    assert "http" not in text  # nothing to download
    assert '<button id="play"' in text and 'aria-label="frame"' in text


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg")
def test_mp4(tmp_path):
    viz.save(make("boundary", frames=2), tmp_path / "a.mp4", dpi=50)
    assert (tmp_path / "a.mp4").stat().st_size > 1000


def test_mp4_without_ffmpeg(tmp_path, monkeypatch):
    from matplotlib import animation as writers

    monkeypatch.setattr(writers.FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    animation = make("boundary", frames=1)
    with pytest.raises(RuntimeError, match=r"ffmpeg, which is not installed: save a \.gif or \.html instead"):
        viz.save(animation, tmp_path / "a.mp4")
    animation._draw_was_started = True


def test_wrong_arguments():
    with pytest.raises(TypeError, match=r"recorder must be a viz.Recorder, got list"):
        viz.animate([])
    with pytest.raises(ValueError, match="the recorder has no snapshots"):
        viz.animate(viz.Recorder())
    with pytest.raises(ValueError, match="what must be one of 'boundary', 'warp'"):
        viz.animate(trained()[1], "border")
    with pytest.raises(ValueError, match='what="warp" needs X'):
        viz.animate(trained()[1], "warp")
    assert not pyplot.get_fignums()
