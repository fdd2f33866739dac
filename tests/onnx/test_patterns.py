"""The small graphs that exporters write for one layer are that layer again, and other formulas stay right."""

import numpy as np
import onnx
import pytest

import fastnn.onnx
from support.onnx_models import evaluate, graph

ROWS = np.random.default_rng(8).normal(size=(9, 4)).astype("float32")
CONSTANTS = {
    "half": 0.5, "one": 1.0, "minus": -1.0, "zero": 0.0, "two": 2.0, "three": 3.0, "six": 6.0, "sixth": 1 / 6,
    "eps": 1e-5, "root": 2**0.5, "inverse": 0.5**0.5, "cubic": 0.044715, "tanh_scale": (2 / np.pi) ** 0.5,
    "power": -0.5, "alpha": 0.7, "alpha_inverse": 1 / 0.7, "twenty": 20.0, "slopes": [0.1, 0.2, -0.3, 2.0],
    "slope": [0.3], "weight": [1.0, 2.0, 0.5, -1.0], "bias": [0.5, 0.0, 1.0, -2.0], "row": [[1.0, 2.0, 3.0, 4.0]],
    "axes": np.array([-1]),
    "pools": np.array([-1, 2, 2]), "last": np.array([2]), "w": np.eye(4) + 0.1,
}  # fmt: skip
LAYER = [
    ("ReduceMean", "x axes", "m", {"keepdims": 1}), ("Sub", "x m", "d"), ("Mul", "d d", "s"),
    ("ReduceMean", "s axes", "v", {"keepdims": 1}), ("Add", "v eps", "e"), ("Sqrt", "e", "r"),
]  # fmt: skip
RMS = [("Pow", "x two", "s"), ("ReduceMean", "s axes", "v", {"keepdims": 1}), ("Add", "eps v", "e")]
# Nodes from x to y, and the layers that they become.
GRAPHS = {
    "gelu, Keras": (
        [("Mul", "half x", "a"), ("Mul", "x inverse", "b"), ("Erf", "b", "c"),
         ("Add", "one c", "d"), ("Mul", "a d", "y")],
        ["GELU"],
    ),
    "gelu, PyTorch": (
        [("Div", "x root", "b"), ("Erf", "b", "c"), ("Add", "c one", "d"), ("Mul", "x d", "e"), ("Mul", "e half", "y")],
        ["GELU"],
    ),
    "gelu, half inside": (
        [("Div", "x root", "b"), ("Erf", "b", "c"), ("Add", "c one", "d"), ("Mul", "half d", "e"), ("Mul", "x e", "y")],
        ["GELU"],
    ),
    "gelu, twice as large": (
        [("Div", "x root", "b"), ("Erf", "b", "c"), ("Add", "c one", "d"), ("Mul", "x d", "y")],
        ["GELU", "Temperature"],
    ),
    "gelu by tanh": (
        [("Pow", "x three", "a"), ("Mul", "a cubic", "b"), ("Add", "x b", "c"), ("Mul", "c tanh_scale", "d"),
         ("Tanh", "d", "e"), ("Add", "e one", "f"), ("Mul", "x f", "g"), ("Mul", "half g", "y")],
        ["GELU"],
    ),
    "silu": ([("Sigmoid", "x", "a"), ("Mul", "a x", "y")], ["SiLU"]),
    "mish": ([("Softplus", "x", "a"), ("Tanh", "a", "b"), ("Mul", "x b", "y")], ["Mish"]),
    "mish, written out": (
        [("Exp", "x", "a"), ("Add", "a one", "b"), ("Log", "b", "c"),
         ("Tanh", "c", "d"), ("Mul", "x d", "y")], ["Mish"],
    ),
    "softplus": ([("Exp", "x", "a"), ("Add", "one a", "b"), ("Log", "b", "y")], ["Softplus"]),
    "softplus, scaled": ([("Mul", "x two", "a"), ("Softplus", "a", "b"), ("Div", "b two", "y")], ["Softplus"]),
    "softsign": ([("Abs", "x", "a"), ("Add", "a one", "b"), ("Div", "x b", "y")], ["Softsign"]),
    "hardsigmoid": ([("Add", "x three", "a"), ("Clip", "a zero six", "b"), ("Div", "b six", "y")], ["Hardsigmoid"]),
    "hardswish": (
        [("Add", "x three", "a"), ("Clip", "a zero six", "b"),
         ("Mul", "x b", "c"), ("Div", "c six", "y")], ["Hardswish"],
    ),
    "hardswish by Min": (
        [("Add", "x three", "a"), ("Relu", "a", "b"), ("Min", "b six", "c"),
         ("Mul", "c x", "d"), ("Mul", "d sixth", "y")],
        ["Hardswish"],
    ),
    "hardsigmoid of other numbers": ([("HardSigmoid", "x", "y")], ["BatchNorm1d", "Hardtanh"]),
    "relu by Max": ([("Max", "x zero", "y")], ["ReLU"]),
    "relu by Clip": ([("Clip", "x zero", "y")], ["ReLU"]),
    "relu6": ([("Clip", "x zero six", "y")], ["ReLU6"]),
    "relu6 by Min": ([("Relu", "x", "a"), ("Min", "a six", "y")], ["ReLU6"]),
    "selu": ([("Selu", "x", "y")], ["SELU"]),
    "selu of other numbers": ([("Selu", "x", "y", {"alpha": 1.0, "gamma": 2.0})], ["ELU", "Temperature"]),
    "elu by Where": (
        [("Greater", "x zero", "p"), ("Exp", "x", "a"), ("Sub", "a one", "b"),
         ("Mul", "alpha b", "c"), ("Where", "p x c", "y")],
        ["ELU"],
    ),
    "celu by Where": (
        [("Greater", "x zero", "p"), ("Div", "x alpha", "a"), ("Exp", "a", "b"), ("Sub", "b one", "c"),
         ("Mul", "c alpha", "d"), ("Where", "p x d", "y")],
        ["CELU"],
    ),
    "leaky relu by Where": (
        [("Greater", "x zero", "p"),
         ("Mul", "x alpha", "a"), ("Where", "p x a", "y")], ["LeakyReLU"],
    ),
    "prelu by Where": ([("Greater", "x zero", "p"), ("Mul", "slopes x", "a"), ("Where", "p x a", "y")], ["PReLU"]),
    "prelu": ([("PRelu", "x slope", "y")], ["PReLU"]),
    "layer norm": ([*LAYER, ("Div", "d r", "y")], ["LayerNorm"]),
    "layer norm with weights": (
        [*LAYER, ("Div", "d r", "n"), ("Mul", "weight n", "a"), ("Add", "a bias", "y")], ["LayerNorm"],
    ),
    "layer norm by Reciprocal": ([*LAYER, ("Reciprocal", "r", "i"), ("Mul", "d i", "y")], ["LayerNorm"]),
    "layer norm by a power": ([*LAYER[:5], ("Pow", "e power", "i"), ("Mul", "i d", "y")], ["LayerNorm"]),
    "rms norm": ([*RMS, ("Sqrt", "e", "r"), ("Div", "x r", "n"), ("Mul", "n weight", "y")], ["RMSNorm"]),
    "rms norm by a quotient": (
        [*RMS, ("Sqrt", "e", "r"), ("Div", "one r", "i"), ("Mul", "x i", "n"), ("Mul", "n weight", "y")], ["RMSNorm"],
    ),
    "temperature": ([("Div", "x two", "a"), ("Softmax", "a", "y", {"axis": -1})], ["Softmax"]),
    "log softmax": ([("Mul", "x two", "a"), ("LogSoftmax", "a", "y", {"axis": 1})], ["LogSoftmax"]),
    "maxout": ([("Reshape", "x pools", "a"), ("ReduceMax", "a last", "y", {"keepdims": 0})], ["Maxout"]),
    "bias after": ([("MatMul", "x w", "a"), ("Add", "bias a", "y")], ["Linear"]),
    "bias of one row": ([("MatMul", "x w", "a"), ("Add", "a row", "y")], ["Linear"]),
    "scaled and shifted": ([("Mul", "x weight", "a"), ("Add", "a bias", "b"), ("Sub", "b row", "y")], ["BatchNorm1d"]),
    "gate": (
        [("Split", "x", "a b", {"axis": 1, "num_outputs": 2}),
         ("Sigmoid", "b", "c"), ("Mul", "a c", "y")], ["GLU"],
    ),
    "swiglu": (
        [("Split", "x", "a b", {"axis": -1, "num_outputs": 2}), ("Sigmoid", "a", "c"),
         ("Mul", "a c", "d"), ("Mul", "d b", "y")], ["SwiGLU"],
    ),
    "swiglu, halves by Slice": (
        [("Slice", "x start middle last_axis", "a"), ("Slice", "x middle end last_axis", "b"), ("Sigmoid", "a", "c"),
         ("Mul", "a c", "d"), ("Mul", "b d", "y")],
        ["SwiGLU"],
    ),
    "swish": ([("Swish", "x", "y")], ["SiLU"]),
    "swish of another slope": ([("Swish", "x", "y", {"alpha": 2.0})], ["Temperature", "SiLU", "Temperature"]),
    "gelu, one node": ([("Gelu", "x", "y", {"approximate": "tanh"})], ["GELU"]),
    "reversed": ([("Slice", "x ends minus_far one_axis back", "y")], ["Columns"]),
}  # fmt: skip
PLACES = {
    "start": np.array([0]), "middle": np.array([2]), "end": np.array([4]), "last_axis": np.array([-1]),
    "ends": np.array([3]), "minus_far": np.array([-9223372036854775807]), "one_axis": np.array([1]),
    "back": np.array([-1]),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_of_one_layer(name):
    nodes, expected = GRAPHS[name]
    used = {word for _, inputs, *_ in nodes for word in inputs.split()}
    constants = {k: v for k, v in (CONSTANTS | PLACES).items() if k in used}
    width = 2 if expected[0] in ("GLU", "SwiGLU", "Maxout") else 4
    data = graph(nodes, {"x": [None, 4]}, {"y": [None, width]}, constants, opset=24 if "wish" in name else 20)
    net = fastnn.onnx.load(data)
    assert [type(layer).__name__ for layer in net] == expected
    expected = evaluate(onnx.load_from_string(data), ROWS)
    np.testing.assert_allclose(net.predict(ROWS), expected, rtol=1e-4, atol=2e-6)


ALMOST = {
    "another mean": [
        ("ReduceMean", "x axes", "m", {"keepdims": 1}), ("Sub", "x m", "d"), ("Mul", "d x", "s"),
        ("ReduceMean", "s axes", "v", {"keepdims": 1}), ("Add", "v eps", "e"), ("Sqrt", "e", "r"), ("Div", "d r", "y"),
    ],
    "erf of another number": [
        ("Div", "x two", "b"), ("Erf", "b", "c"), ("Add", "c one", "d"), ("Mul", "x d", "e"), ("Mul", "e half", "y"),
    ],
    "where of another": [("Greater", "x zero", "p"), ("Tanh", "x", "a"), ("Where", "p a x", "y")],
    "softsign of another": [("Abs", "x", "a"), ("Add", "a two", "b"), ("Div", "x b", "y")],
}  # fmt: skip


@pytest.mark.parametrize("name", ALMOST)
def test_what_is_almost_a_layer_is_refused(name):
    used = {word for _, inputs, *_ in ALMOST[name] for word in inputs.split()}
    constants = {k: v for k, v in CONSTANTS.items() if k in used}
    with pytest.raises(ValueError, match="no layers for these nodes"):
        fastnn.onnx.load(graph(ALMOST[name], {"x": [None, 4]}, {"y": [None, 4]}, constants, opset=20))


def test_operators_of_old_opsets():
    nodes = [
        ("Unsqueeze", "b", "row_", {"axes": [0]}),
        ("Gemm", "x w b", "a"), ("Clip", "a", "c", {"min": -1.0, "max": 2.0}),
        ("Dropout", "c", "d", {"ratio": 0.25}), ("Slice", "d", "e", {"starts": [1], "ends": [4], "axes": [1]}),
        ("Split", "e", "f g", {"axis": 1, "split": [1, 2]}), ("Concat", "g f", "h", {"axis": 1}), ("Softmax", "h", "y"),
    ]  # fmt: skip
    data = graph(nodes, {"x": [None, 4]}, {"y": [None, 3]}, {"w": CONSTANTS["w"], "b": CONSTANTS["bias"]}, opset=9)
    net = fastnn.onnx.load(data)
    assert [type(layer).__name__ for layer in net] == ["Linear", "Hardtanh", "Dropout", "Columns", "Softmax"]
    assert net[2].p == 0.25
    z = np.clip(ROWS @ np.float32(CONSTANTS["w"]) + np.float32(CONSTANTS["bias"]), -1, 2)[:, [2, 3, 1]]
    expected = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    np.testing.assert_allclose(net.predict(ROWS), expected, rtol=1e-5, atol=1e-6)


def test_initializers_that_are_listed_as_inputs_too():
    data = graph([("MatMul", "x w", "y")], {"x": [None, 4]}, {"y": [None, 4]}, {"w": CONSTANTS["w"]})
    model = onnx.load_from_string(data)
    model.graph.input.append(onnx.helper.make_tensor_value_info("w", 1, [4, 4]))
    assert fastnn.onnx.load(model.SerializeToString()).in_features == 4
