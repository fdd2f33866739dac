"""Matrix product with bias and activation, and its gradients: sets COST in fastnn/_core/linear.pyx."""

from common import normal, operation, run

SHAPES = ((1, 784, 128), (32, 64, 64), (64, 128, 128), (128, 784, 256), (1024, 1024, 1024))
SIZES = {"x".join(map(str, shape)): shape for shape in SHAPES}  # rows, in_features, out_features


def forward(shape, dtype, rng):
    rows, n_in, n_out = shape
    return tuple(normal(s, rng).astype(dtype) for s in ((rows, n_in), (n_in, n_out), (n_out,)))


def backward(shape, dtype, rng):
    rows, n_in, n_out = shape
    return tuple(normal(s, rng).astype(dtype) for s in ((rows, n_out), (rows, n_in), (n_in, n_out)))


def product(shape):
    rows, n_in, n_out = shape
    return 2 * rows * n_in * n_out


def two_products(shape):
    return 2 * product(shape)


SHARED = {"sizes": SIZES, "tiny": (3, 5, 4)}
RECORDS = (
    operation("linear", forward, flops=product, kernels=("matmul",), **SHARED),
    operation("linear", forward, flops=product, kernels=("matmul",), label="linear_relu", activation="relu", **SHARED),
    operation(
        "linear_backward", backward, flops=two_products, kernels=("matmul", "column_sums", "transpose"), **SHARED
    ),
)


def bench_linear(case, benchmark):
    run(case, benchmark)
