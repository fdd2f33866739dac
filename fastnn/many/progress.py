"""One bar over the epochs of many networks."""

from __future__ import annotations

from typing import Any

from ..training.progress import wants_bar
from .workers import Member


class NoBar:
    """Shows nothing."""

    def look(self) -> None:
        """Called now and then."""

    def close(self) -> None:
        """Called at the end."""


class Bar(NoBar):
    """The epochs of all members that are done, and how many members are."""

    def __init__(self, members: list[Member]) -> None:
        from tqdm.auto import tqdm

        self.members = members
        self.bar: Any = tqdm(total=sum(m.run.epochs for m in members), unit=" epochs", dynamic_ncols=True)
        self.look()

    def look(self) -> None:
        """Show how far the members are."""
        epochs = sum(member.run.epochs if member.done else member.run.epoch for member in self.members)
        done = sum(member.done for member in self.members)
        self.bar.set_description(f"{done}/{len(self.members)} networks", refresh=False)
        self.bar.update(epochs - self.bar.n)

    def close(self) -> None:
        """Show the end, and leave the bar as it stands."""
        self.look()
        self.bar.close()


def bar_for_many(show: bool | str, members: list[Member]) -> NoBar:
    """A bar, or nothing; ValueError if `show` is none of True, False and "auto"."""
    return Bar(members) if wants_bar(show) else NoBar()
