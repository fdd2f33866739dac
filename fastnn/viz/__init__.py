"""Pictures of activations, networks, and what they learn and do.

A function takes a network, a trainer, a history or an estimator, draws into `ax` or a new figure, and returns the Axes
or the Figure; with `return_data=True` also the arrays that it drew. `save` writes files, `style` chooses light or dark.
Needs matplotlib: pip install "fastnn-core[viz]". `docs/viz.md` shows each.
"""

from . import _package
from .activations import activation_curves, softmax_temperature
from .animation import animate
from .boundary import decision_boundary, units
from .diagram import network, weights
from .histories import history
from .landscape import loss_landscape
from .layer_health import HealthRecorder, health
from .loss_curves import losses
from .panels import subplots
from .paths import learning_rates, optimizer_paths
from .rates import lr_finder, schedule
from .recorder import Recorder
from .saving import save
from .scores import calibration, confusion_matrix, roc
from .theme import style
from .warp import affine_maps, warp_grid
from .worked import backpropagation

del _package

__all__ = [
    "HealthRecorder",
    "Recorder",
    "activation_curves",
    "affine_maps",
    "animate",
    "backpropagation",
    "calibration",
    "confusion_matrix",
    "decision_boundary",
    "health",
    "history",
    "learning_rates",
    "loss_landscape",
    "losses",
    "lr_finder",
    "network",
    "optimizer_paths",
    "roc",
    "save",
    "schedule",
    "softmax_temperature",
    "style",
    "subplots",
    "units",
    "warp_grid",
    "weights",
]


def __dir__() -> list[str]:
    return sorted(__all__)
