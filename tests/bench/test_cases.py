"""The cases of benchmarks: their labels, the work they count, and JSON."""

import dataclasses
import json

from fastnn.bench import cases
from fastnn.bench.cases import Case, Network
from fastnn.bench.suite import suite

NETWORKS = (
    Network((5, 7, 3), 4, "Tanh"),
    Network((5, 7, 1), 4, "Sigmoid", "MSELoss", "SGD"),
    Network((5, 7, 3), 4, "ELU", "CrossEntropyLoss", "RMSprop"),
    Network((5, 7, 3), 4, "GELU", "CrossEntropyLoss", "AdamW"),
    Network((5, 7, 2), 4, "ReLU", "MSELoss", "SGD", momentum=0.9),
    Network((5, 7, 3), 4, "ReLU", "CrossEntropyLoss", "Adagrad"),
)

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus")


ACTIVATIONS += ("softsign", "hardsigmoid", "hardswish", "hardtanh", "relu6")


LOSSES = ("l1_loss", "mse_loss", "huber_loss", "smooth_l1_loss", "binary_cross_entropy")


def small_cases(dtype):
    """A case of every sort."""
    for network in NETWORKS:
        yield dataclasses.replace(cases.fit(network, dtype), parts=3)
        yield dataclasses.replace(cases.scheduled_fit(network, dtype), parts=3)
        yield cases.step(network, dtype)
        yield cases.predict(network, dtype)
    yield cases.linear(3, 5, 4, dtype)
    yield cases.linear_backward(3, 5, 4, dtype)
    yield cases.cross_entropy(3, 5, dtype)
    for name in ("softmax", "log_softmax"):
        yield cases.softmax(name, 3, 5, dtype)
    for name in ACTIVATIONS:
        yield cases.activation(name, 50, dtype)
        yield cases.activation_backward(name, 50, dtype)
    for name in ("exp", "expm1", "log", "log1p", "erf"):
        yield cases.function("elementary functions", name, (50,), ("uniform",), 2, dtype)
    for name in cases.UPDATES:
        yield cases.update(name, 50, dtype)
    for name in LOSSES:
        yield cases.function("losses", name, (50,), ("uniform", "uniform"), 2, dtype)


def test_cases_survive_json():
    for case in [*suite(), *small_cases("float64"), cases.startup()]:
        assert Case.from_json(json.loads(json.dumps(case.to_json()))) == case


def test_labels_of_networks_and_sizes():
    assert str(Network((2, 4, 2, 1), 32, "Tanh", "MSELoss", "SGD")) == "32 x 2-4-2-1 Tanh MSE SGD"
    assert str(Network((128,) * 9, 64, momentum=0.9)) == "64 x 128-7x128-128 ReLU CE momentum"
    assert [cases.count(n) for n in (37, 128, 1000, 10_000, 1024, 2 * 10**7, 1500)] == [
        "37", "128", "1k", "10k", "1024", "20M", "1.5k",
    ]  # fmt: skip


def test_flops_count_the_products():
    network = Network((3, 4, 2), 10)
    assert network.flops(training=False) == 2 * 10 * (3 * 4 + 4 * 2)
    assert network.flops(training=True) == 2 * 10 * (2 * 3 * 4 + 3 * 4 * 2)  # no gradient of the input
