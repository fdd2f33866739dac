"""Cases: descriptions of what is timed, as plain data that is passed between processes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

ITEMSIZE = {"float32": 4, "float64": 8}
DTYPES = tuple(ITEMSIZE)
# Floating-point operations of an epoch of `fit`: about a millisecond.
EPOCH_FLOPS = 1e8
MAX_STEPS = 256


@dataclass(frozen=True)
class Network:
    """A network and its training; activation, loss and optimizer are class names, the same here and in PyTorch."""

    features: tuple[int, ...]
    rows: int
    activation: str = "ReLU"
    loss: str = "CrossEntropyLoss"
    optimizer: str = "Adam"
    momentum: float = 0.0

    def __str__(self) -> str:
        loss = {"CrossEntropyLoss": "CE", "MSELoss": "MSE"}.get(self.loss, self.loss)
        return f"{self.rows} x {self.shape} {self.activation} {loss} {self.rule}"

    @property
    def shape(self) -> str:
        """The numbers of features as text: 8-16-2, or for many equal hidden layers 8-5x64-2."""
        first, *hidden, last = map(str, self.features)
        if len(hidden) > 3 and len(set(hidden)) == 1:
            hidden = [f"{len(hidden)}x{hidden[0]}"]
        return "-".join([first, *hidden, last])

    @property
    def rule(self) -> str:
        """The optimizer, or "momentum" for SGD with momentum."""
        return "momentum" if self.momentum else self.optimizer

    @property
    def options(self) -> dict[str, float]:
        """The keywords of the optimizer."""
        return {"momentum": self.momentum} if self.momentum else {}

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Features in and out of each linear layer."""
        return list(zip(self.features, self.features[1:], strict=False))

    def flops(self, training: bool) -> float:
        """Floating-point operations of the matrix products; in training with gradients of weights and hidden layers."""
        products = [2.0 * self.rows * n_in * n_out for n_in, n_out in self.layers]
        return 3 * sum(products) - products[0] if training else sum(products)


TAKES_OUTPUT = ("sigmoid", "tanh")  # activations whose gradient takes the output; the others take the input
# Optimizer updates: function, number of state arrays, keywords.
UPDATES: dict[str, tuple[str, int, dict[str, Any]]] = {
    "sgd": ("sgd_step", 0, {"lr": 1e-3}),
    "momentum": ("sgd_step", 1, {"lr": 1e-3, "momentum": 0.9}),
    "adagrad": ("adagrad_step", 1, {"lr": 1e-3, "step": 1}),
    "rmsprop": ("rmsprop_step", 1, {"lr": 1e-3}),
    "adam": ("adam_step", 2, {"lr": 1e-3, "step": 1}),
    "adamw": ("adamw_step", 2, {"lr": 1e-3, "step": 1}),
    "adadelta": ("adadelta_step", 2, {"lr": 1e-3}),
    "nadam": ("nadam_step", 2, {"lr": 1e-3, "step": 1}),
    "radam": ("radam_step", 2, {"lr": 1e-3, "step": 1}),
    "adamax": ("adamax_step", 2, {"lr": 1e-3, "step": 1}),
    "lion": ("lion_step", 1, {"lr": 1e-3}),
    "rprop": ("rprop_step", 2, {"lr": 1e-3, "step": 1}),
    "asgd": ("asgd_step", 1, {"lr": 1e-3, "step": 1}),
    "schedule-free adamw": ("schedulefreeadamw_step", 2, {"lr": 1e-3, "step": 2}),
}
# Those of whole matrices: function, draws of the states, keywords.
MATRIX_UPDATES: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "adafactor": ("adafactor_step", ("row_zeros", "column_zeros"), {"lr": 1e-3, "step": 1}),
    "muon": ("muon_step", ("zeros",), {"lr": 1e-3}),
}

NO_NETWORK = Network((), 0)


@dataclass(frozen=True)
class Case:
    """A case to time; `kind` is the name of the function of a contender that prepares it.

    A repetition consists of `parts` equal parts, such as the steps of an epoch; reported times are per part. A part
    does `work` in `unit`: "FLOP", "B" for bytes read and written, or "" without a rate.
    """

    kind: str
    section: str
    label: str
    dtype: str = "float32"
    operation: str = ""
    shape: tuple[int, ...] = ()
    draws: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    network: Network = NO_NETWORK
    parts: int = 1
    work: float = 0.0
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.label} {self.dtype}" if self.dtype == "float64" else self.label

    def to_json(self) -> dict[str, Any]:
        """The case as a dict for JSON."""
        return asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> Case:
        """The case of a dict returned by `to_json`."""
        network = Network(**values["network"] | {"features": tuple(values["network"]["features"])})
        return Case(**values | {"network": network, "shape": tuple(values["shape"]), "draws": tuple(values["draws"])})


# Networks. ------------------------------------------------------------------------------------------------------------


def fit(network: Network, dtype: str = "float32") -> Case:
    """A training step inside `fit`, which runs epochs over batches without shuffling."""
    flops = network.flops(training=True)
    steps = int(min(MAX_STEPS, max(2, EPOCH_FLOPS / flops)))
    return Case(
        "fit", "a training step inside fit", str(network), dtype, network=network, parts=steps, work=flops, unit="FLOP"
    )


def scheduled_fit(network: Network, dtype: str = "float32") -> Case:
    """As `fit`, with a learning rate for each batch, along a cosine of T_max steps."""
    case = fit(network, dtype)
    return replace(case, section=f"{case.section}, rates by batch", options={"T_max": 10_000})


def counting_fit(network: Network, dtype: str = "float32") -> Case:
    """As `fit`, with mixup, F1 and top-2 accuracy."""
    case = fit(network, dtype)
    return replace(case, section=f"{case.section}, mixed and counted", options={"k": 2, "alpha": 0.2})


def step(network: Network, dtype: str = "float32") -> Case:
    """A training step called from Python."""
    flops = network.flops(training=True)
    return Case("step", "a training step, called", str(network), dtype, network=network, work=flops, unit="FLOP")


def predict(network: Network, dtype: str = "float32") -> Case:
    """A prediction for some rows."""
    label = f"{network.rows} x {network.shape} {network.activation}"
    flops = network.flops(training=False)
    return Case("predict", "prediction", label, dtype, network=network, work=flops, unit="FLOP")


def startup() -> Case:
    """The import of the library in a new process."""
    return Case("startup", "import", "import")


# Functions. -----------------------------------------------------------------------------------------------------------


def linear(rows: int, n_in: int, n_out: int, dtype: str = "float32") -> Case:
    """relu(x W + b)."""
    return _product("linear", "linear + bias + relu", (rows, n_in, n_out), 1, dtype)


def linear_backward(rows: int, n_in: int, n_out: int, dtype: str = "float32") -> Case:
    """Gradients of x W + b with respect to x, W and b."""
    return _product("linear_backward", "gradients of linear", (rows, n_in, n_out), 2, dtype)


def _product(kind: str, section: str, shape: tuple[int, int, int], products: int, dtype: str) -> Case:
    flops = 2.0 * math.prod(shape) * products
    return Case(kind, section, "x".join(map(str, shape)), dtype, shape=shape, work=flops, unit="FLOP")


def function(
    section: str,
    operation: str,
    shape: tuple[int, ...],
    draws: tuple[str, ...],
    passes: float,
    dtype: str = "float32",
    *,
    kind: str = "function",
    label: str = "",
    **options: Any,
) -> Case:
    """A function of arrays of `shape` that data.py draws; it reads or writes `passes` arrays.

    `operation` is its name in fastnn.functional or fastnn.optim.functional, `options` are its keywords.
    """
    label = f"{label or operation} {'x'.join(map(count, shape))}"
    work = passes * math.prod(shape) * ITEMSIZE[dtype]
    return Case(kind, section, label, dtype, operation, shape, draws, options, work=work, unit="B")


def activation(name: str, n: int, dtype: str = "float32") -> Case:
    """An elementwise activation."""
    return function("activations", name, (n,), ("normal",), 2, dtype)


def activation_backward(name: str, n: int, dtype: str = "float32") -> Case:
    """The gradient of an activation, from its output or its input."""
    saved = "uniform" if name in TAKES_OUTPUT else "normal"
    return function("gradients of activations", f"{name}_backward", (n,), ("normal", saved), 3, dtype)


def softmax(name: str, rows: int, classes: int, dtype: str = "float32") -> Case:
    """Softmax or log_softmax of each row."""
    return function("softmax and cross-entropy", name, (rows, classes), ("normal",), 2, dtype)


def cross_entropy(rows: int, classes: int, dtype: str = "float32") -> Case:
    """Mean cross-entropy of logits, and its gradient."""
    section, draws = "softmax and cross-entropy", ("normal", "labels")
    label = "cross_entropy + gradient"
    return function(section, "cross_entropy", (rows, classes), draws, 2, dtype, kind="cross_entropy", label=label)


def update(name: str, n: int, dtype: str = "float32") -> Case:
    """An optimizer's update of n parameters, in place."""
    operation, states, options = UPDATES[name]
    draws = ("normal", "normal", *["zeros"] * states)
    section, passes = "optimizer updates", 3 + 2 * states
    return function(section, operation, (n,), draws, passes, dtype, kind="update", label=name, **options)


def matrix_update(name: str, shape: tuple[int, int], dtype: str = "float32") -> Case:
    """An optimizer's update of a matrix, in place."""
    operation, states, options = MATRIX_UPDATES[name]
    draws, passes = ("normal", "normal", *states), 3 + 2 * states.count("zeros")
    return function("optimizer updates", operation, shape, draws, passes, dtype, kind="update", label=name, **options)


def parameters(name: str, shape: tuple[int, ...], draws: int, dtype: str = "float32", **options: Any) -> Case:
    """A function of `draws` arrays of parameters or gradients; all but total_norm write to the first."""
    passes = draws + (name != "total_norm")
    section, drawn = "parameters and gradients", ("normal",) * draws
    return function(section, name, shape, drawn, passes, dtype, kind="parameters", **options)


def count(n: int) -> str:
    """A number of elements as text, with k or M where it is round."""
    for size, letter in ((10**6, "M"), (10**3, "k")):
        if n >= size and n % (size // 10) == 0:
            return f"{n / size:g}{letter}"
    return str(n)
