"""Matrix product with bias and activation, and its gradients: sets COST in fastnn/_core/linear.pyx."""

from common import Aim, record

from fastnn.bench.cases import DTYPES, linear, linear_backward

BLAS = ("numpy", "torch")  # OpenBLAS and MKL
PEAK = Aim(share=0.85)
AIMS = {
    (1, 784, 128): [],
    (32, 64, 64): [Aim(2.0, BLAS)],
    (64, 128, 128): [PEAK],
    (100, 300, 77): [Aim(1.15, BLAS)],
    (128, 784, 256): [Aim(1.15, BLAS), PEAK],
    (512, 512, 512): [Aim(1.03, BLAS), PEAK],
    (1024, 1024, 1024): [Aim(1.0, BLAS), PEAK],
    (2048, 2048, 2048): [Aim(1.0, BLAS), PEAK],
}
ON_TWO = {(n, n, n): [Aim(share=0.80)] for n in (512, 1024, 2048)}
# linear is one matrix product plus bias; its gradients are two products and column sums.
KERNELS = {linear: ("matmul",), linear_backward: ("matmul", "column_sums")}

RECORDS = [
    record(make(*shape, dtype), *aims, threads=threads, kernels=kernels)
    for threads, table in ((1, AIMS), (2, ON_TWO))
    for make, kernels in KERNELS.items()
    for shape, aims in table.items()
    for dtype in DTYPES
]


def bench_linear(turn, replay):
    replay(turn)
