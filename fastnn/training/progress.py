"""The progress bar of a training run: tqdm's, on a terminal or in a notebook."""

from __future__ import annotations

import sys
from typing import Any


def _is_terminal(stream: Any) -> bool:
    """Whether it is one; a process without a console has None, and a closed stream does not tell."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def bar_for(show: bool | str, epochs: int, samples: int | None) -> Progress | None:
    """A bar over all epochs, or None where none is asked for or nobody could see it.

    Parameters
    ----------
    show : bool or "auto"
        "auto" shows a bar on a terminal and in a notebook.
    epochs, samples : int or None
        Number of epochs, and of samples in each, if that is known.

    Raises
    ------
    ValueError
        If `show` is something else.
    """
    if not isinstance(show, bool) and show != "auto":
        raise ValueError(f"progress must be True, False or 'auto', got {show!r}")
    in_notebook = "ipykernel" in sys.modules
    wanted = show is True or (show == "auto" and (in_notebook or _is_terminal(sys.stderr)))
    return Progress(epochs, samples) if wanted and (in_notebook or sys.stderr is not None) else None


class Progress:
    """A bar over all epochs.

    Parameters
    ----------
    epochs, samples : int or None
        Number of epochs, and of samples in each, if that is known.
    """

    def __init__(self, epochs: int, samples: int | None) -> None:
        from tqdm.auto import tqdm

        self.epochs = epochs
        self.bar: Any = tqdm(total=samples and epochs * samples, unit=" samples", unit_scale=True, dynamic_ncols=True)

    def advance(self, samples: int) -> None:
        """Note that so many more samples were trained."""
        self.bar.update(samples)

    def epoch(self, number: int, values: dict[str, float]) -> None:
        """Show the results of an epoch."""
        self.bar.set_description(f"epoch {number}/{self.epochs}", refresh=False)
        shown = {name: f"{value:.4f}" for name, value in values.items() if name != "seconds"}
        self.bar.set_postfix(shown, refresh=False)

    def close(self) -> None:
        """End the bar and leave it as it stands."""
        self.bar.close()
