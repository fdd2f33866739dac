"""Losses and their gradients: sets COST and ROW_COST in fastnn/_core/losses.pyx."""

from common import (
    MATRICES,
    VECTORS,
    arrays,
    distributions,
    labels,
    log_distributions,
    normal,
    one,
    operation,
    run,
    uniform,
)


def value_and_gradient(name, input, target, kernel=None, label=None):
    """Records of a loss and its gradient; on matrices if the targets are classes."""
    shapes = {"sizes": VECTORS, "tiny": (7,)}
    reads = 2
    if target in (labels, distributions):
        shapes = {"sizes": MATRICES, "tiny": (3, 5)}
        reads = 1 if target is labels else 2
    kernels, label = (kernel or name,), label or name
    backward = arrays(one, input, target)
    return (
        operation(name, arrays(input, target), passes=reads, kernels=kernels, label=label, **shapes),
        operation(f"{name}_backward", backward, passes=reads + 1, kernels=kernels, label=f"{label}_backward", **shapes),
    )


RECORDS = (
    *value_and_gradient("l1_loss", normal, normal),
    *value_and_gradient("mse_loss", normal, normal),
    *value_and_gradient("rmse_loss", normal, normal, kernel="mse_loss"),
    *value_and_gradient("huber_loss", normal, normal),
    *value_and_gradient("smooth_l1_loss", normal, normal),
    *value_and_gradient("binary_cross_entropy", uniform, uniform),
    *value_and_gradient("binary_cross_entropy_with_logits", normal, uniform),
    *value_and_gradient("cross_entropy", normal, labels),
    *value_and_gradient("cross_entropy", normal, distributions, label="cross_entropy_of_probabilities"),
    *value_and_gradient("nll_loss", log_distributions, labels),
)


def bench_losses(case, benchmark):
    run(case, benchmark)
