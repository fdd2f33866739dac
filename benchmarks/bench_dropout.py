"""Dropout variants including their random numbers, and the gradients: sets COST in fastnn/_core/dropout.pyx."""

from common import operation

KERNELS = {
    "dropout": "dropout",
    "dropout_backward": "dropout",
    "alpha_dropout": "alpha_dropout",
    "alpha_dropout_backward": "alpha_dropout_backward",
    "gaussian_dropout": "gaussian_dropout",
    "gaussian_dropout_backward": "gaussian_dropout",
}

RECORDS = [
    *(
        record
        for name, kernel in KERNELS.items()
        for record in operation("dropout", name, ("normal",), passes=2, kernels=(kernel,), p=0.5, seed=3)
    ),
    *operation("dropout", "gaussian_noise", ("normal",), passes=2, std=0.5, seed=3),
    *operation("dropout", "rrelu", ("normal",), passes=2, training=True, seed=3),
    *operation("dropout", "rrelu_backward", ("normal", "normal"), passes=3, training=True, seed=3),
]


def bench_dropout(turn, replay):
    replay(turn)
