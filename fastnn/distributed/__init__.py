"""Data parallel training: ranks that share the batches of one run, and sums that have the same bits on any number."""

from .communicator import Alone
from .team import RankError, Team

__all__ = ["Alone", "RankError", "Team"]


def __dir__() -> list[str]:
    return sorted(__all__)
