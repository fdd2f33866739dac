"""What a session can be taken away as: Python code that reproduces it, and files of the model."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .._version import __version__
from ..c_source.export import export_c
from . import datasets, recipes
from .calls import written
from .refusal import Refusal
from .session import HASH_DIGITS, Segment, Session


@dataclass(frozen=True)
class File:
    """A file to save: its name, its MIME type and what is in it."""

    name: str
    mime: str
    content: bytes


# -- code --------------------------------------------------------------------------------------------------------------


def python(session: Session) -> str:
    """A program that trains the same network to the same bits, and prints the hash of its weights."""
    return "\n".join(_lines(session)) + "\n"


def _lines(session: Session) -> Iterator[str]:
    first, *rest = session.journal
    yield f'"""A network of the playground of fastnn {__version__}, trained anew to the same weights."""'
    yield ""
    yield "import hashlib"
    yield ""
    yield "import numpy as np"
    yield ""
    yield "import fastnn"
    yield "from fastnn import callbacks, data, nn, optim"
    yield ""
    yield from datasets.code(first.settings)
    yield ""
    yield from _network(first)
    yield from _trainer(first)
    yield from _fit(first)
    before = first
    for segment in rest:
        if segment.start == segment.end:
            continue
        yield ""
        yield f"# Other settings from epoch {segment.start} on."
        yield from _trainer(segment) if segment.fresh else _changes(before, segment)
        yield from _fit(segment)
        before = segment
    yield ""
    yield "scores = trainer.evaluate(X_test, y_test)"
    yield 'print("test:", ", ".join(f"{name} {value:.4f}" for name, value in scores.items()))'
    yield 'values = b"".join(value.tobytes() for value in net.state_dict().values())'
    yield f'print("weights:", hashlib.sha256(values).hexdigest()[:{HASH_DIGITS}])'


def _network(segment: Segment) -> Iterator[str]:
    yield "net = nn.Sequential("
    for block in recipes.layers(segment.settings):
        yield f"    {', '.join(map(str, block))},"
    yield f"    seed={segment.settings.seed},"
    yield ")"


def _trainer(segment: Segment) -> Iterator[str]:
    settings = segment.settings
    yield f"optimizer = {recipes.optimizer(settings)}"
    schedule = recipes.schedule(settings)
    if schedule is not None:
        yield f"scheduler = {schedule}"
    options = "".join(f", {name}={value!r}" for name, value in recipes.trainer_options(settings).items())
    more = ", scheduler" if schedule is not None else ""
    yield f"trainer = fastnn.Trainer(net, {recipes.loss(settings)}, optimizer{more}{options})"


def _changes(before: Segment, segment: Segment) -> Iterator[str]:
    old = recipes.hyperparameters(before.settings)
    for name, value in recipes.hyperparameters(segment.settings).items():
        if old[name] != value:
            yield f"optimizer.{name} = {value!r}"


def _fit(segment: Segment) -> Iterator[str]:
    if segment.start == segment.end:
        return
    options = recipes.fit_options(segment.settings, segment.start, segment.end)
    yield "trainer.fit("
    yield "    X_train,"
    yield "    y_train,"
    yield from (f"    {name}={written(value)}," for name, value in options.items())
    yield ")"


# -- files -------------------------------------------------------------------------------------------------------------


def _python_file(session: Session) -> File:
    return File("playground.py", "text/x-python", python(session).encode())


def _safetensors(session: Session) -> File:
    file = io.BytesIO()
    session.net.save(file)
    return File("playground.safetensors", "application/octet-stream", file.getvalue())


def _c(session: Session) -> File:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "playground.c")
        export_c(session.net, path, name="playground", samples=session.points.X_test)
        return File(path.name, "text/x-csrc", path.read_bytes())


def _onnx(session: Session) -> File:
    if not has_onnx():
        raise Refusal("needs_onnx")
    from .. import onnx

    file = io.BytesIO()
    onnx.export(session.net, file, name="playground")
    return File("playground.onnx", "application/octet-stream", file.getvalue())


def has_onnx() -> bool:
    """Whether the onnx package is installed."""
    return find_spec("onnx") is not None


FORMATS: dict[str, Callable[[Session], File]] = {
    "python": _python_file,
    "safetensors": _safetensors,
    "onnx": _onnx,
    "c": _c,
}


def export(session: Session, what: Any) -> File:
    """The file of a format of `FORMATS`.

    Raises
    ------
    Refusal
        If there is no such format, or its package is not installed.
    """
    if not isinstance(what, str) or what not in FORMATS:
        raise Refusal("unknown_choice", field="format", choices=", ".join(FORMATS), value=repr(what)[:40])
    return FORMATS[what](session)
