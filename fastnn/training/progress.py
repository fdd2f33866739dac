"""The progress of a training run: tqdm's bar, on a terminal or in a notebook, or a line for each epoch."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Protocol

FIRST = "loss", "val_loss"  # records that are shown first
SPARE = 3  # columns that are left free: numbers of samples and seconds grow until the next epoch
LAYOUTS = (  # of a bar, from the widest
    "{desc}{percentage:3.0f}%|{bar:10}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]",
    "{desc}{percentage:3.0f}%|{bar:10}| [{elapsed}<{remaining}, {rate_fmt}{postfix}]",
    "{desc}{percentage:3.0f}%|{bar:10}| [{elapsed}<{remaining}{postfix}]",
    "{desc}{percentage:3.0f}% [{remaining}{postfix}]",
)
ENDLESS = (  # where the number of samples is unknown
    "{desc}{n_fmt} [{elapsed}, {rate_fmt}{postfix}]",
    "{desc}[{elapsed}{postfix}]",
)


class Shows(Protocol):
    """What shows the progress of a run."""

    def advance(self, samples: int) -> None: ...
    def epoch(self, number: int, values: dict[str, float]) -> None: ...
    def close(self) -> None: ...


def _is_terminal(stream: Any) -> bool:
    """Whether it is one; a process without a console has None, and a closed stream does not tell."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def bar_for(show: bool | str, epochs: int, samples: int | None, initial_epoch: int = 0) -> Shows | None:
    """A bar over all epochs, or lines; None if it is not requested, or there is no terminal or notebook.

    Parameters
    ----------
    show : bool, "auto" or "lines"
        "auto" shows a bar on a terminal and in a notebook.
    epochs, samples : int or None
        Number of epochs, and of samples in each, if that is known.
    initial_epoch : int, default 0
        Number of epochs that are done.

    Raises
    ------
    ValueError
        If `show` is something else.
    """
    if isinstance(show, str) and show == "lines":
        return Lines(epochs)
    return Progress(epochs, samples, initial_epoch) if wants_bar(show) else None


def wants_bar(show: bool | str) -> bool:
    """Whether a bar is to be shown: if it is requested, or by "auto" on a terminal and in a notebook.

    Raises
    ------
    ValueError
        If `show` is something else.
    """
    if not isinstance(show, bool) and show != "auto":
        raise ValueError(f"progress must be True, False or 'auto', got {show!r}; 'lines' prints a line for each epoch")
    in_notebook = "ipykernel" in sys.modules
    wanted = show is True or (show == "auto" and (in_notebook or _is_terminal(sys.stderr)))
    return wanted and (in_notebook or sys.stderr is not None)


def show(value: Any) -> None:
    """Show an object in a notebook as the value of a cell is shown; nothing elsewhere."""
    if "ipykernel" in sys.modules:
        import_module("IPython.display").display(value)


def ordered(values: dict[str, float]) -> dict[str, str]:
    """The records of an epoch as text, the losses first, without the seconds.

    Examples
    --------
    >>> from fastnn.training.progress import ordered
    >>> ordered({"accuracy": 0.5, "loss": 0.25, "seconds": 1.0, "val_loss": 1 / 3})
    {'loss': '0.25', 'val_loss': '0.3333', 'accuracy': '0.5'}
    """
    names = [*(name for name in FIRST if name in values), *(n for n in values if n not in (*FIRST, "seconds"))]
    return {name: f"{values[name]:.4g}" for name in names}


class Progress:
    """A bar over all epochs, which shows as many of the records of the last epoch as have room.

    Parameters
    ----------
    epochs, samples : int or None
        Number of epochs, and of samples in each, if that is known.
    initial_epoch : int, default 0
        Number of epochs that are done.
    """

    def __init__(self, epochs: int, samples: int | None, initial_epoch: int = 0) -> None:
        from tqdm.auto import tqdm

        self.epochs = epochs
        total = samples and (epochs - initial_epoch) * samples
        self.bar: Any = tqdm(total=total, unit=" samples", unit_scale=True, dynamic_ncols=True)

    def advance(self, samples: int) -> None:
        """Note that so many more samples were trained."""
        self.bar.update(samples)

    def epoch(self, number: int, values: dict[str, float]) -> None:
        """Show the results of an epoch."""
        self.bar.set_description(f"epoch {number}/{self.epochs}", refresh=False)
        shown = ordered(values)
        columns = self.bar.format_dict.get("ncols")
        if columns and not hasattr(self.bar, "container"):  # of a notebook: that is as wide as it is
            shown = self._fit(shown, columns - SPARE)
        self.bar.set_postfix(shown, refresh=False)

    def _fit(self, shown: dict[str, str], columns: int) -> dict[str, str]:
        """Choose the widest layout with room for the losses, and return the records that have room in it."""
        layouts = ENDLESS if self.bar.total is None else LAYOUTS
        names = list(shown)
        least = sum(name in shown for name in FIRST)
        for layout in layouts:
            for count in range(len(names), least - 1, -1):
                some = {name: shown[name] for name in names[:count]}
                if self._width(layout, some) <= columns:
                    self.bar.bar_format = layout
                    return some
        self.bar.bar_format = layouts[-1]
        return {name: shown[name] for name in names[:least]}

    def _width(self, layout: str, shown: dict[str, str]) -> int:
        """Columns that a layout takes with these records."""
        state = self.bar.format_dict | {"bar_format": layout, "ncols": None}
        state["postfix"] = ", ".join(f"{name}={value}" for name, value in shown.items())
        return len(self.bar.format_meter(**state))

    def close(self) -> None:
        """End the bar and leave it as it stands."""
        self.bar.close()


class Lines:
    """A line on standard output for each epoch, for logs."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def advance(self, samples: int) -> None:
        """Called while an epoch goes on."""

    def epoch(self, number: int, values: dict[str, float]) -> None:
        """Print the results of an epoch."""
        records = "  ".join(f"{name} {value}" for name, value in ordered(values).items())
        width = len(str(self.epochs))
        print(f"epoch {number:>{width}}/{self.epochs}  {records}  {values['seconds']:.2f} s", flush=True)

    def close(self) -> None:
        """Called at the end of a run."""
