"""Pictures and animations as files."""

from __future__ import annotations

import base64
import html
import io
import json
import os
from importlib import import_module
from typing import Any

from .. import _validation as check
from .._frames import errors_of_use

STILL = ".png", ".svg", ".pdf", ".jpg", ".html"
MOVING = ".gif", ".mp4", ".html"
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"></head>
<body style="background: {paper}; margin: 1em">{content}</body></html>
"""
# Plays frames in a circle; a slider stops it.
PLAYER = """<img id="frame" alt="training, step by step" style="max-width: 100%">
<div style="color: {ink}; font: 14px sans-serif">
<button id="play" aria-pressed="true">Pause</button>
<input id="at" type="range" min="0" max="{last}" value="0" aria-label="frame" style="width: 60%">
</div>
<script>
const frames = {frames}, picture = document.getElementById("frame"), at = document.getElementById("at");
const play = document.getElementById("play");
let timer = null;
function show(i) {{ at.value = i; picture.src = "data:image/png;base64," + frames[i]; }}
function run(on) {{
  clearInterval(timer);
  timer = on ? setInterval(() => show((+at.value + 1) % frames.length), {wait}) : null;
  play.textContent = on ? "Pause" : "Play";
  play.setAttribute("aria-pressed", on);
}}
play.onclick = () => run(timer === null);
at.oninput = () => {{ run(false); show(+at.value); }};
show(0);
run(frames.length > 1 && !matchMedia("(prefers-reduced-motion: reduce)").matches);
</script>"""


@errors_of_use
def save(picture: Any, path: Any, *, dpi: float = 150, fps: float = 15) -> None:
    """Write a figure or an animation to a file; its format is that of the name's ending.

    Parameters
    ----------
    picture : Axes, Figure, or animation of `animate`
        Also what a function with `return_data=True` returned: the arrays are left out.
    path : str or path-like
        Figures: .png, .svg, .pdf, .jpg or .html. Animations: .gif (pillow), .mp4 (where ffmpeg is installed) or .html
        (a page with buttons, without anything to download).
    dpi : float, default 150
        Pixels per inch. Animations in .gif and .html take two thirds of it.
    fps : float, default 15
        Frames per second of an animation.

    Raises
    ------
    TypeError
        If `picture` is neither.
    ValueError
        If the ending is not one of those.
    RuntimeError
        If an .mp4 is asked for and there is no ffmpeg.
    OSError
        If the file cannot be written.

    Notes
    -----
    The same figure gives the same bytes of SVG and PNG: they have no date.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import matplotlib.pyplot as plt
    >>> from fastnn import viz
    >>> ax = viz.softmax_temperature([2.0, 1.0, 0.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "softmax.svg")
    ...     viz.save(ax, path)
    ...     print(path.read_text().startswith("<?xml"))
    True
    >>> plt.close("all")
    """
    from matplotlib.animation import Animation

    path = os.fspath(path)
    ending = os.path.splitext(path)[1].lower()
    dpi, fps = check.check_number("dpi", dpi, above=0, at_most=2400), check.check_number("fps", fps, above=0)
    if isinstance(picture, tuple) and len(picture) == 2 and isinstance(picture[1], dict):
        picture = picture[0]
    moving = isinstance(picture, Animation)
    if ending not in (MOVING if moving else STILL):
        kind, known = ("an animation", MOVING) if moving else ("a figure", STILL)
        raise ValueError(f"path must end with {', '.join(known)} for {kind}, got {path!r}")
    if moving:
        _save_animation(picture, path, ending, dpi * 2 / 3, fps)
    else:
        _save_figure(figure_of(picture), path, ending, dpi)


def figure_of(picture: Any) -> Any:
    """The figure of an Axes, a list of them, or a part of a figure."""
    from matplotlib.figure import Figure

    if isinstance(picture, Figure):
        return picture
    figure = getattr(picture, "get_figure", None)
    if figure is None:
        raise TypeError(f"picture must be an Axes, a Figure or an animation, got {type(picture).__name__}")
    return figure(root=True)


def _save_figure(figure: Any, path: str, ending: str, dpi: float) -> None:
    import matplotlib

    plain = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {"Software": None}}
    with matplotlib.rc_context({"svg.hashsalt": "fastnn", "savefig.facecolor": "auto"}):
        if ending != ".html":
            figure.savefig(path, dpi=dpi, metadata=plain.get(ending))
            return
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=plain[".svg"])
    drawing = buffer.getvalue()
    _write_page(path, figure, drawing[drawing.index("<svg") :])


def _save_animation(animation: Any, path: str, ending: str, dpi: float, fps: float) -> None:
    writers: Any = import_module("matplotlib.animation")

    figure = animation._fig
    if ending == ".mp4" and not writers.FFMpegWriter.isAvailable():
        raise RuntimeError("an .mp4 needs the program ffmpeg, which is not installed: save a .gif or .html instead")
    kinds = {".gif": writers.PillowWriter, ".mp4": writers.FFMpegWriter, ".html": _page_writer(writers)}
    animation.save(path, writer=kinds[ending](fps), dpi=dpi, savefig_kwargs={"facecolor": figure.get_facecolor()})


def _page_writer(writers: Any) -> Any:
    """A writer of matplotlib that makes a page: that of matplotlib fetches its icons from another server."""

    class PageWriter(writers.AbstractMovieWriter):  # type: ignore[misc, unused-ignore]
        def setup(self, fig: Any, outfile: Any, dpi: Any = None) -> None:
            super().setup(fig, outfile, dpi)
            self.frames: list[str] = []

        def grab_frame(self, **options: Any) -> None:
            buffer = io.BytesIO()
            self.fig.savefig(buffer, format="png", dpi=self.dpi, **options)
            self.frames.append(base64.b64encode(buffer.getvalue()).decode())

        def finish(self) -> None:
            ink = self.fig.get_suptitle() and self.fig._suptitle.get_color()
            data = json.dumps(self.frames)
            content = PLAYER.format(frames=data, last=len(self.frames) - 1, wait=1000 / self.fps, ink=ink or "#888888")
            _write_page(os.fspath(self.outfile), self.fig, content)

    return PageWriter


def _write_page(path: str, figure: Any, content: str) -> None:
    from matplotlib.colors import to_hex

    title = html.escape(figure.get_suptitle() or next((ax.get_title() for ax in figure.axes), "") or "fastnn")
    with open(path, "w", encoding="utf-8") as file:
        file.write(PAGE.format(title=title, paper=to_hex(figure.get_facecolor()), content=content))
