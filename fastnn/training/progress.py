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


class Progress:
    """A bar over all epochs; without one, every method does nothing.

    Parameters
    ----------
    show : bool or "auto"
        "auto" shows a bar where somebody can see it: on a terminal and in a notebook.
    epochs, samples : int or None
        Number of epochs, and of samples in each, if that is known.
    """

    def __init__(self, show: bool | str, epochs: int, samples: int | None) -> None:
        if not isinstance(show, bool) and show != "auto":
            raise ValueError(f"progress must be True, False or 'auto', got {show!r}")
        self.bar: Any = None
        self.epochs = epochs
        if show is True or (show == "auto" and (_is_terminal(sys.stderr) or "ipykernel" in sys.modules)):
            if sys.stderr is None and "ipykernel" not in sys.modules:
                return  # nobody could see it
            from tqdm.auto import tqdm

            self.bar = tqdm(total=samples and epochs * samples, unit=" samples", unit_scale=True, dynamic_ncols=True)

    def advance(self, samples: int) -> None:
        """Note that so many more samples were trained."""
        if self.bar is not None:
            self.bar.update(samples)

    def epoch(self, number: int, values: dict[str, float]) -> None:
        """Show the results of an epoch."""
        if self.bar is not None:
            self.bar.set_description(f"epoch {number}/{self.epochs}", refresh=False)
            shown = {name: f"{value:.4f}" for name, value in values.items() if name != "seconds"}
            self.bar.set_postfix(shown, refresh=False)

    def close(self) -> None:
        """End the bar and leave it as it stands."""
        if self.bar is not None:
            self.bar.close()
