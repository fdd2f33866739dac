"""Normalization of rows and of columns, and the gradients: sets COST in fastnn/_core/normalization.pyx."""

from common import MATRICES, operation

SECTION = "normalization"
VECTORS = ("column_normal", "column_normal")
STATISTICS = ("column_normal", "column_uniform")
IMAGES = ((32, 8, 16), (500, 16, 32))
TRAINING = {"label": "batch_norm in training", "training": True}
TRAINING_BACKWARD = {"label": "batch_norm_backward in training", "training": True}


def rows(name, *draws, passes, kernels=None, **options):
    return operation(SECTION, name, draws, passes, MATRICES, kernels, **options)


RECORDS = [
    *rows("layer_norm", "normal", *VECTORS, passes=2),
    *rows("layer_norm_backward", "normal", "normal", VECTORS[0], passes=3,
          kernels=("layer_norm", "layer_norm_backward", "norm_gradients")),
    *rows("rms_norm", "normal", VECTORS[0], passes=2),
    *rows("rms_norm_backward", "normal", "normal", VECTORS[0], passes=3,
          kernels=("rms_norm", "rms_norm_backward", "norm_gradients")),
    *rows("batch_norm", "normal", *STATISTICS, *VECTORS, passes=2, kernels=("batch_norm", "running_statistics")),
    *rows("batch_norm", "normal", *STATISTICS, *VECTORS, passes=2,
          kernels=("batch_norm", "batch_statistics", "update_running"), **TRAINING),
    *rows("batch_norm_backward", "normal", "normal", *STATISTICS, VECTORS[0], passes=3,
          kernels=("batch_norm_backward", "batch_norm_gradients"), **TRAINING_BACKWARD),
    *rows("group_norm", "normal", passes=2, kernels=("layer_norm",), num_groups=1),
    *rows("group_norm_backward", "normal", "normal", passes=3, kernels=("layer_norm_backward",), num_groups=1),
    *operation(SECTION, "instance_norm", ("normal",), 2, IMAGES, ("layer_norm",)),
    *operation(SECTION, "instance_norm_backward", ("normal", "normal"), 3, IMAGES, ("layer_norm_backward", "sum")),
]  # fmt: skip


def bench_normalization(turn, replay):
    replay(turn)
