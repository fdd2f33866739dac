"""What tests of fastnn.onnx share: networks with every layer, runs by other evaluators, and small graphs."""

import math

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

import fastnn.onnx
from fastnn import nn

# Tolerances of float32 and float64; the absolute ones are for results whose terms cancel.
TOLERANCES = {"float32": {"rtol": 1e-5, "atol": 2e-6}, "float64": {"rtol": 1e-9, "atol": 1e-13}}
FEATURES = 6

# Layers by the arguments that change their nodes; each follows nn.Linear(6, 6).
LAYERS = [
    nn.CELU, (nn.CELU, {"alpha": 0.7}), (nn.CELU, {"alpha": -0.7}), (nn.ELU, {"alpha": 0.7}), nn.ELU, nn.GELU,
    (nn.GELU, {"approximate": "tanh"}), nn.GLU, nn.SELU, nn.AlphaDropout, (nn.BatchNorm1d, {"num_features": 6}),
    (nn.BatchNorm1d, {"num_features": 6, "affine": False}), (nn.BatchNorm1d, {"num_features": 6, "eps": 0.5}),
    (nn.BatchNorm1d, {"num_features": 6, "track_running_stats": False}), (nn.Columns, {"columns": [3, 0, 0]}),
    (nn.Columns, {"columns": slice(1, 4)}), (nn.Columns, {"columns": slice(None, None, -1)}), nn.Dropout, nn.Flatten,
    nn.GaussianDropout, nn.GaussianNoise, nn.Hardsigmoid, nn.Hardswish,
    (nn.Hardtanh, {"min_val": -0.5, "max_val": 0.7}),
    nn.Identity, (nn.LayerNorm, {"features": 6}), (nn.LayerNorm, {"features": 6, "affine": False}),
    (nn.LayerNorm, {"features": 6, "bias": False, "eps": 0.1}), (nn.LeakyReLU, {"negative_slope": 0.1}),
    (nn.Linear, {"in_features": 6, "out_features": 2, "bias": False}), nn.LogSoftmax,
    (nn.LogSoftmax, {"temperature": 3.0}), nn.Maxout, (nn.Maxout, {"pool_size": 3}), nn.Mish, nn.PReLU,
    (nn.PReLU, {"num_parameters": 6}), (nn.RMSNorm, {"features": 6}), (nn.RMSNorm, {"features": 6, "affine": False}),
    nn.ReLU, nn.ReLU6, nn.SiLU, nn.Sigmoid, (nn.Softmax, {"temperature": 0.5}), (nn.Softmax, {"dim": 1}), nn.Softplus,
    (nn.Softplus, {"beta": 2.0, "threshold": 3.0}), nn.Softsign, nn.SwiGLU, nn.Tanh, (nn.Temperature, {"init": 2.0}),
    nn.LogSigmoid, (nn.Threshold, {"threshold": 0.25, "value": 0.5}), nn.Tanhshrink, (nn.Softshrink, {"lambd": 0.25}),
    (nn.Hardshrink, {"lambd": 0.25}), (nn.RReLU, {"lower": 0.25}), (nn.Softmin, {"temperature": 0.5}),
    fastnn.onnx.Product, (nn.GroupNorm, {"num_groups": 2, "num_channels": 6}),
    (nn.GroupNorm, {"num_groups": 1, "num_channels": 3, "eps": 0.1}), (nn.InstanceNorm1d, {"num_features": 1}),
    (nn.InstanceNorm1d, {"num_features": 2, "affine": True, "bias": False}),
]  # fmt: skip


def _around(case):
    cls, arguments = case if isinstance(case, tuple) else (case, {})
    return lambda dtype: nn.Sequential(nn.Linear(FEATURES, FEATURES), cls(**arguments), dtype=dtype, seed=0)


def _residual(dtype):
    body = nn.Residual(nn.Linear(8, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 8, bias=False))
    wide = nn.Residual(nn.Linear(8, 3), shortcut=nn.Linear(8, 3))
    return nn.Sequential(nn.Linear(6, 8), body, nn.Residual(nn.Tanh()), wide, dtype=dtype, seed=0)


def _concat(dtype):
    parts = nn.Concat(nn.Sequential(), nn.Linear(6, 2), nn.Sequential(nn.Linear(6, 3), nn.GELU()))
    return nn.Sequential(parts, nn.Sequential(nn.Linear(11, 4), nn.ReLU()), nn.Linear(4, 1), dtype=dtype, seed=0)


def _heads(dtype):
    heads = nn.Heads(price=nn.Linear(8, 1), kind=nn.Sequential(nn.Linear(8, 3), nn.Softmax()))
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), heads, dtype=dtype, seed=0)


def _table(dtype):
    table = nn.TabularInput(numeric=[0, 3], categorical={1: (7, 3), 2: (5, 2)})
    return nn.Sequential(table, nn.Linear(7, 4), nn.Tanh(), dtype=dtype, seed=0)


NETWORKS = {
    **{f"{case[0].__name__}-{case[1]}" if isinstance(case, tuple) else case.__name__: _around(case) for case in LAYERS},
    "Residual": _residual,
    "Concat": _concat,
    "Heads": _heads,
    "TabularInput": _table,
    "Embedding": lambda dtype: nn.Sequential(nn.Embedding(5, 2), nn.Linear(8, 3), dtype=dtype, seed=0),
    "Embedding of rows of a largest norm": lambda dtype: nn.Sequential(
        nn.Embedding(5, 2, max_norm=0.3), nn.Linear(8, 3), dtype=dtype, seed=0
    ),
    **{
        f"EmbeddingBag, {mode}": lambda dtype, mode=mode: nn.Sequential(
            nn.EmbeddingBag(5, 2, mode=mode, padding_idx=1), nn.Linear(2, 3), dtype=dtype, seed=0
        )
        for mode in ("sum", "mean", "max")
    },
}


def network(name, dtype="float32"):
    """A network with random parameters and statistics, and a function that draws rows for it."""
    net, rng = NETWORKS[name](dtype), np.random.default_rng(1)
    params = net.parameters()
    params.data[...] = 0.4 * rng.normal(size=params.data.shape)
    for key, view in net.named_buffers():
        if key.endswith(("mean", "var")):
            view[...] = rng.normal(size=view.shape) if key.endswith("mean") else rng.uniform(0.5, 2, view.shape)
    for layer in net.modules():
        if isinstance(layer, nn.Temperature):
            layer["temperature"][...] = 1.7

    def draw(rows, seed=0):
        rng = np.random.default_rng(seed)
        if name.startswith("Embedding"):
            return rng.integers(0, 5, (rows, 4)).astype(dtype)
        x = rng.normal(size=(rows, FEATURES)).astype(dtype)
        if name == "TabularInput":
            x[:, 1], x[:, 2] = rng.integers(0, 7, rows), rng.integers(0, 5, rows)
            return x[:, :4]
        return x

    return net.eval(), draw


def exported(name, dtype="float32", **arguments):
    """A network and its model."""
    net, draw = network(name, dtype)
    shape = None if net.in_features is not None else draw(1).shape[1:]
    return net, draw, fastnn.onnx.export(net, input_shape=shape, **arguments)


class Erf(OpRun):
    """In float64: the one of onnx computes float32."""

    def _run(self, x):
        return (np.vectorize(math.erf, otypes=["f8"])(x).astype(x.dtype),)


def evaluate(model, x):
    """The outputs of a model by the reference evaluator of onnx, beside each other."""
    return np.hstack(ReferenceEvaluator(model, new_ops=[Erf]).run(None, {model.graph.input[0].name: x}))


def graph(nodes, inputs, outputs, constants=None, opset=17, kind=TensorProto.FLOAT):
    """The bytes of a model: nodes as (operator, inputs, outputs, attributes), ends as names and shapes."""
    made = [helper.make_node(op, i.split(), o.split(), **(rest[0] if rest else {})) for op, i, o, *rest in nodes]
    ends = [
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in side.items()] for side in (inputs, outputs)
    ]
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    arrays = [
        numpy_helper.from_array(np.asarray(v, None if np.asarray(v).dtype.kind in "iu" else dtype), name)
        for name, v in (constants or {}).items()
    ]
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(helper.make_graph(made, "graph", *ends, arrays), opset_imports=opsets).SerializeToString()
