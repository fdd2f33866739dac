"""Optimizer updates, in place: sets COST in fastnn/_core/optimizers.pyx."""

from common import VECTORS, arrays, normal, operation, run, zeros

SIZES = VECTORS | {"10k": (10_000,), "1M": (1_000_000,)}


def update(name, states, label="", kernel=None, **options):
    """A record of a rule with `states` arrays of state: read and written, as the parameters; the gradient is read."""
    arguments = arrays(normal, normal, *[zeros] * states)
    kernels = (kernel or name,)
    return operation(name, arguments, sizes=SIZES, passes=3 + 2 * states, label=label, kernels=kernels, **options)


RECORDS = (
    update("sgd_step", 0, lr=1e-3),
    update("sgd_step", 1, label="sgd_step_momentum", lr=1e-3, momentum=0.9),
    update("adagrad_step", 1, step=3),
    update("rmsprop_step", 1),
    update("adam_step", 2, step=3),
    update("adamw_step", 2, step=3, kernel="adam_step"),
)


def bench_optimizers(case, benchmark):
    run(case, benchmark)
