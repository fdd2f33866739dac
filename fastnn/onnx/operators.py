"""ONNX operators computed by the kernels of fastnn, for the reference evaluator of the onnx package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx.reference.op_run import OpRun
from onnx.reference.ops import load_op

from .. import functional as F
from .._validation import Array
from ..functional import rectifiers, self_gated, sigmoids

TRAINING = "ai.onnx.preview.training"
OURS = ("float32", "float64")

# For `ReferenceEvaluator(model, new_ops=new_ops)`.
new_ops: list[type[OpRun]] = []

Run = Callable[..., Any]


class Kernel(OpRun):  # type: ignore[misc]
    """Base of the operators: other dtypes, and versions of other meaning, go to the implementation of onnx."""

    op_domain = ""
    first = 1  # the first opset in which the operator means what `_run` computes

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run the node."""
        if self._takes(args):
            return super().run(*args, **kwargs)
        return self.standard().run(*args, **kwargs)

    def _takes(self, args: tuple[Any, ...]) -> bool:
        opset = self.run_params["opsets"].get(self.op_domain, 1)
        return opset >= self.first and bool(args) and np.asarray(args[0]).dtype.name in OURS

    def standard(self) -> Any:
        """The implementation of onnx for this node."""
        params = self.run_params
        version = params["opsets"].get(self.op_domain)
        cls = load_op(self.op_domain, self.op_type, version, node=self.onnx_node, evaluator_cls=params["evaluator_cls"])
        return cls(self.onnx_node, params)


def operator(*names: str, domain: str = "", first: int = 1) -> Callable[[Run], Run]:
    """Register the function of the inputs and attributes of operators; it returns one array or a tuple of them."""

    def register(function: Run) -> Run:
        def _run(self: Any, *inputs: Any, **attributes: Any) -> tuple[Any, ...]:
            result = function(*inputs, **attributes)
            outputs = result if isinstance(result, tuple) else (result,)
            return outputs[: max(1, len(self.onnx_node.output))]

        for name in names:
            bases: tuple[type, ...] = (Training,) if domain == TRAINING else (Kernel,)
            new_ops.append(
                type(name, bases, {"_run": _run, "op_domain": domain, "first": first, "__doc__": function.__doc__})
            )
        return function

    return register


class Training(Kernel):
    """Base of the optimizers, whose first inputs are the rate and the number of steps."""

    op_domain = TRAINING

    def _takes(self, args: tuple[Any, ...]) -> bool:
        return all(np.asarray(value).dtype.name in OURS for value in args[2:])

    def standard(self) -> Any:
        from onnx.reference.ops.aionnx_preview_training import load_op as load

        return load(self.op_domain, self.op_type, 1)(self.onnx_node, self.run_params)


def flat(function: Callable[..., Array], x: Array, *args: Any) -> Array:
    """An elementwise function of an array of any shape, of no axes too."""
    return function(np.ascontiguousarray(x).reshape(-1), *args).reshape(x.shape)


def rows(x: Array, axis: int) -> tuple[Array, tuple[int, ...]]:
    """An array as rows of all axes from this one on, and the shape of such a row."""
    axis = axis + x.ndim if axis < 0 else axis
    shape = x.shape[axis:]
    return np.ascontiguousarray(x).reshape(-1, int(np.prod(shape))), shape


# -- elementwise -------------------------------------------------------------------------------------------------------


def _simple(name: str, function: Callable[..., Array]) -> None:
    operator(name)(lambda x: flat(function, x))


SIMPLE: dict[str, Callable[..., Array]] = {
    "Sigmoid": sigmoids.sigmoid, "Tanh": sigmoids.tanh, "Relu": rectifiers.relu, "Softsign": sigmoids.softsign,
    "Mish": self_gated.mish, "HardSwish": self_gated.hardswish, "Exp": F.exp, "Log": F.log, "Erf": F.erf,
}  # fmt: skip
for _name, _function in SIMPLE.items():
    _simple(_name, _function)


@operator("Softplus")
def _softplus(x: Array) -> Array:
    return flat(rectifiers.softplus, x, 1.0, 40.0)  # from 40 on it is x in float64


@operator("LeakyRelu")
def _leaky_relu(x: Array, alpha: float = 0.01) -> Array:
    return flat(rectifiers.leaky_relu, x, alpha)


@operator("Elu")
def _elu(x: Array, alpha: float = 1.0) -> Array:
    return flat(rectifiers.elu, x, alpha)


@operator("Celu")
def _celu(x: Array, alpha: float = 1.0) -> Array:
    return flat(rectifiers.celu, x, alpha)


@operator("Selu", first=6)
def _selu(x: Array, alpha: float, gamma: float) -> Array:
    return x.dtype.type(gamma) * flat(rectifiers.elu, x, alpha)


@operator("Gelu")
def _gelu(x: Array, approximate: str = "none") -> Array:
    return flat(self_gated.gelu, x, approximate)


@operator("Swish")
def _swish(x: Array, alpha: float = 1.0) -> Array:
    return flat(self_gated.silu, x) if alpha == 1 else x * flat(sigmoids.sigmoid, x * x.dtype.type(alpha))


@operator("HardSigmoid")
def _hard_sigmoid(x: Array, alpha: float = 0.2, beta: float = 0.5) -> Array:
    return flat(sigmoids.hardtanh, x.dtype.type(alpha) * x + x.dtype.type(beta), 0.0, 1.0)


@operator("ThresholdedRelu")
def _thresholded_relu(x: Array, alpha: float = 1.0) -> Array:
    return np.where(x > x.dtype.type(alpha), x, x.dtype.type(0))


@operator("PRelu", first=9)
def _prelu(x: Array, slope: Array) -> Array:
    if slope.size == 1 or (slope.ndim == 1 and x.ndim > 1):
        return F.prelu(x, slope.reshape(-1))
    return rectifiers.relu(x) + slope * np.minimum(x, 0)


@operator("Clip", first=11)
def _clip(x: Array, low: Any = None, high: Any = None) -> Array:
    if low is None or high is None or not low < high:  # bounds that cross give the upper one
        y = x if low is None else np.maximum(x, low)
        return y if high is None else np.minimum(y, high)
    return flat(sigmoids.hardtanh, x, float(low), float(high))


@operator("Add", first=7)
def _add(a: Array, b: Array) -> Array:
    a, b = np.broadcast_arrays(a, b)
    return F.add(np.ascontiguousarray(a).reshape(-1), np.ascontiguousarray(b).reshape(-1)).reshape(a.shape)


# -- products ----------------------------------------------------------------------------------------------------------


@operator("Gemm", first=7)
def _gemm(
    a: Array, b: Array, c: Any = None, alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0
) -> Array:
    y = F.linear(a.T if transA else a, b.T if transB else b)
    y = y if alpha == 1 else y * y.dtype.type(alpha)
    return y if c is None else _add(y, np.asarray(c) * y.dtype.type(beta))


@operator("MatMul")
def _matmul(a: Array, b: Array) -> Array:
    left, right = a.reshape(1, -1) if a.ndim == 1 else a, b.reshape(-1, 1) if b.ndim == 1 else b
    if right.ndim == 2:
        y = F.linear(left, right)
    else:
        batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
        left = np.broadcast_to(left, batch + left.shape[-2:]).reshape(-1, *left.shape[-2:])
        right = np.broadcast_to(right, batch + right.shape[-2:]).reshape(-1, *right.shape[-2:])
        products = [F.linear(one, other) for one, other in zip(left, right, strict=True)]
        y = np.stack(products).reshape(*batch, *products[0].shape)
    y = y.squeeze(-2) if a.ndim == 1 else y
    return y.squeeze(-1) if b.ndim == 1 else y


# -- rows --------------------------------------------------------------------------------------------------------------


@operator("Softmax", first=13)
def _softmax(x: Array, axis: int = -1) -> Array:
    return F.softmax(x, axis)


@operator("LogSoftmax", first=13)
def _log_softmax(x: Array, axis: int = -1) -> Array:
    return F.log_softmax(x, axis)


@operator("Hardmax", first=13)
def _hardmax(x: Array, axis: int = -1) -> Array:
    places = np.expand_dims(np.argmax(x, axis), axis)
    y = np.zeros_like(x)
    np.put_along_axis(y, places, 1, axis)
    return y


@operator("LayerNormalization")
def _layer_norm(
    x: Array, scale: Array, bias: Any = None, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1
) -> tuple[Array, Array, Array]:
    matrix, shape = rows(x, axis)
    weight = np.broadcast_to(scale, shape).reshape(-1)
    shift = None if bias is None else np.broadcast_to(bias, shape).reshape(-1)
    y = F.layer_norm(matrix, weight, shift, epsilon).reshape(x.shape)
    wide = matrix.astype("float64")
    kind = "float32" if stash_type == 1 else x.dtype
    outer = x.shape[: x.ndim - len(shape)] + (1,) * len(shape)
    inverse = 1.0 / np.sqrt(wide.var(1) + epsilon)
    return y, wide.mean(1).astype(kind).reshape(outer), inverse.astype(kind).reshape(outer)


@operator("RMSNormalization")
def _rms_norm(x: Array, scale: Array, axis: int = -1, epsilon: float = 1e-5, stash_type: int = 1) -> Array:
    matrix, shape = rows(x, axis)
    return F.rms_norm(matrix, np.broadcast_to(scale, shape).reshape(-1), epsilon).reshape(x.shape)


@operator("BatchNormalization", first=14)
def _batch_norm(
    x: Array, scale: Array, bias: Array, mean: Array, var: Array, epsilon: float = 1e-5, momentum: float = 0.9,
    training_mode: int = 0,
) -> Any:  # fmt: skip
    moved = np.moveaxis(x, 1, -1)
    matrix = np.ascontiguousarray(moved).reshape(-1, x.shape[1])
    if training_mode:  # by the statistics of the batch, whose biased variance the running one takes
        wide = matrix.astype("float64")
        now, spread = wide.mean(0), wide.var(0)
        y = F.batch_norm(matrix, now.astype(x.dtype), spread.astype(x.dtype), scale, bias, eps=epsilon)
        running = [
            (old * momentum + new * (1 - momentum)).astype(old.dtype) for old, new in ((mean, now), (var, spread))
        ]
    else:
        y, running = F.batch_norm(matrix, mean, var, scale, bias, eps=epsilon), []
    return (np.ascontiguousarray(np.moveaxis(y.reshape(moved.shape), -1, 1)), *running)


@operator("Dropout", first=12)
def _dropout(x: Array, ratio: Any = None, training_mode: Any = None, seed: Any = None) -> tuple[Array, Array]:
    """The mask is that of the standard's tests: NumPy's legacy random numbers."""
    p = 0.5 if ratio is None else float(ratio)
    if not training_mode or p == 0:
        return x, np.ones(x.shape, bool)
    mask = np.random.RandomState(None if seed is None else int(seed)).uniform(0, 1, x.shape) >= p
    return np.where(mask, x * x.dtype.type(1 / (1 - p)), x.dtype.type(0)), mask


# -- losses ------------------------------------------------------------------------------------------------------------

NONE_IGNORED = -(1 << 53)  # no class index, where a loss ignores none


def _per_row(x: Array, target: Array) -> tuple[Array, Array]:
    """Scores of shape (rows, classes) and their class indices, of scores of shape (samples, classes, ...)."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)).reshape(-1, x.shape[1]), target.reshape(-1).astype("int64")


@operator("NegativeLogLikelihoodLoss")
def _nll_loss(
    x: Array, target: Array, weight: Any = None, ignore_index: int | None = None, reduction: str = "mean"
) -> Array:
    scores, classes = _per_row(x, target)
    ignored = NONE_IGNORED if ignore_index is None else ignore_index
    loss = F.nll_loss(scores, classes, reduction, weight=weight, ignore_index=ignored)
    return np.asarray(loss).reshape(target.shape if reduction == "none" else ())


@operator("SoftmaxCrossEntropyLoss")
def _cross_entropy(
    x: Array, target: Array, weight: Any = None, ignore_index: int | None = None, reduction: str = "mean"
) -> tuple[Array, Array]:
    scores, classes = _per_row(x, target)
    ignored = NONE_IGNORED if ignore_index is None else ignore_index
    loss = F.cross_entropy(scores, classes, reduction, weight=weight, ignore_index=ignored)
    return np.asarray(loss).reshape(target.shape if reduction == "none" else ()), F.log_softmax(x, 1)


# -- optimizers --------------------------------------------------------------------------------------------------------


def _updated(tensors: tuple[Array, ...], groups: int, update: Callable[..., None]) -> tuple[Array, ...]:
    """Parameters and states after an update, in the order of the operator: all parameters, then each kind of state.

    The inputs are the parameters, their gradients and the states; `groups` is the number of these kinds.
    """
    count = len(tensors) // groups
    kinds = [tensors[i * count : (i + 1) * count] for i in range(groups)]
    new: list[list[Array]] = [[] for _ in range(groups - 1)]
    for param, grad, *states in zip(*kinds, strict=True):
        arrays = [np.array(param).reshape(-1), *(np.array(state).reshape(-1) for state in states)]
        update(arrays[0], np.ascontiguousarray(grad).reshape(-1), *arrays[1:])
        for place, array in zip(new, arrays, strict=True):
            place.append(array.reshape(param.shape))
    return tuple(array for kind in new for array in kind)


@operator("Adagrad", domain=TRAINING)
def _adagrad(
    rate: Array, steps: Array, *tensors: Array, decay_factor: float = 0.0, epsilon: float = 0.0,
    norm_coefficient: float = 0.0,
) -> tuple[Array, ...]:  # fmt: skip
    from ..optim.functional import adagrad_step

    def update(param: Array, grad: Array, total: Array) -> None:
        adagrad_step(
            param, grad, total, lr=float(rate), lr_decay=decay_factor, step=int(steps) + 1, eps=epsilon,
            weight_decay=norm_coefficient, compat="onnx",
        )  # fmt: skip

    return _updated(tensors, 3, update)


@operator("Adam", domain=TRAINING)
def _adam(
    rate: Array, steps: Array, *tensors: Array, alpha: float = 0.9, beta: float = 0.999, epsilon: float = 0.0,
    norm_coefficient: float = 0.0, norm_coefficient_post: float = 0.0,
) -> tuple[Array, ...]:  # fmt: skip
    from ..optim.functional import adam_step

    def update(param: Array, grad: Array, average: Array, square: Array) -> None:
        adam_step(
            param, grad, average, square, step=int(steps) + 1, lr=float(rate), betas=(alpha, beta), eps=epsilon,
            weight_decay=norm_coefficient, compat="onnx",
        )  # fmt: skip
        param *= param.dtype.type(1 - norm_coefficient_post)

    return _updated(tensors, 4, update)


@operator("Momentum", domain=TRAINING)
def _momentum(
    rate: Array, steps: Array, *tensors: Array, alpha: float = 0.9, beta: float = 1.0, mode: str = "standard",
    norm_coefficient: float = 0.0,
) -> tuple[Array, ...]:  # fmt: skip
    from ..optim.functional import sgd_step

    def update(param: Array, grad: Array, buffer: Array) -> None:
        sgd_step(
            param, grad, buffer, lr=float(rate), momentum=alpha, dampening=1 - beta, nesterov=mode == "nesterov",
            weight_decay=norm_coefficient, step=int(steps) + 1, compat="onnx",
        )  # fmt: skip

    return _updated(tensors, 3, update)
