"""Losses and their gradients: sets COST and ROW_COST in fastnn/_core/losses.pyx."""

from common import LENGTHS, MATRICES, operation


def value_and_gradient(name, input, target, kernel=None, label=None):
    """Records of a loss and its gradient; on matrices if the targets are classes."""
    shapes = MATRICES if target in ("labels", "distributions") else LENGTHS
    reads = 1 if target == "labels" else 2
    shared = {"shapes": shapes, "kernels": (kernel or name,)}
    label = label or name
    return [
        *operation("losses", name, (input, target), reads, label=label, **shared),
        *operation(
            "losses", f"{name}_backward", ("one", input, target), reads + 1, label=f"{label}_backward", **shared
        ),
    ]


RECORDS = [
    *value_and_gradient("l1_loss", "normal", "normal"),
    *value_and_gradient("mse_loss", "normal", "normal"),
    *value_and_gradient("rmse_loss", "normal", "normal", kernel="mse_loss"),
    *value_and_gradient("huber_loss", "normal", "normal"),
    *value_and_gradient("smooth_l1_loss", "normal", "normal"),
    *value_and_gradient("binary_cross_entropy", "uniform", "uniform"),
    *value_and_gradient("binary_cross_entropy_with_logits", "normal", "uniform"),
    *value_and_gradient("cross_entropy", "normal", "labels"),
    *value_and_gradient("cross_entropy", "normal", "distributions", label="cross_entropy_of_probabilities"),
    *value_and_gradient("nll_loss", "log_distributions", "labels"),
]


def bench_losses(turn, replay):
    replay(turn)
