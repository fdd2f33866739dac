"""Many networks at once: trained side by side, a network a core, and used together."""

from .ensemble import Ensemble
from .fleet import Fleet, fit_many

__all__ = ["Ensemble", "Fleet", "fit_many"]


def __dir__() -> list[str]:
    return sorted(__all__)
