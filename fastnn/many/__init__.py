"""Many networks at once: trained side by side, a network a core, and used together."""

from .ensemble import Ensemble
from .fleet import Fleet, fit_many
from .sweep import Sweep, sweep

__all__ = ["Ensemble", "Fleet", "Sweep", "fit_many", "sweep"]


def __dir__() -> list[str]:
    return sorted(__all__)
