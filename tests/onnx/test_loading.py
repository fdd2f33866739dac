"""ONNX models as networks: those of PyTorch, Keras and skl2onnx, our own, and wiring of every kind."""

import io
from pathlib import Path

import numpy as np
import onnx
import pytest

import fastnn
import fastnn.onnx
from fastnn import nn, optim
from support.onnx_models import NETWORKS, TOLERANCES, evaluate, exported, graph

RECORDED = Path(__file__).parent.parent / "recorded" / "onnx"
OUTPUTS = np.load(RECORDED / "outputs.npz")
MODELS = sorted(path.stem for path in RECORDED.glob("*.onnx"))


def recorded(name):
    """The path of a recorded model, its inputs, and its outputs."""
    count = sum(key.startswith(f"{name}/x") for key in OUTPUTS.files)
    return RECORDED / f"{name}.onnx", [OUTPUTS[f"{name}/x{i}"] for i in range(count)], OUTPUTS[f"{name}/y"]


# Layers whose nodes come back as others.
FORMULAS = (
    "LogSigmoid",
    "Tanhshrink",
    "Softshrink-{'lambd': 0.25}",
    "RReLU-{'lower': 0.25}",
    "Softmin-{'temperature': 0.5}",
)


def kinds(net):
    return [type(layer).__name__ for layer in net]


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("name", MODELS)
def test_models_of_other_exporters_agree(name):
    path, inputs, expected = recorded(name)
    net = fastnn.onnx.load(path)
    x = np.hstack([x.astype(net.dtype) for x in inputs]) if len(inputs) > 1 else inputs[0]
    y = net.predict(x)
    assert y.dtype == expected.dtype or name.startswith("sklearn")
    np.testing.assert_allclose(y.reshape(expected.shape), expected, **TOLERANCES[net.dtype])


@pytest.mark.parametrize("opset", [13, 17, 20, 23])
@pytest.mark.parametrize(
    "name",
    [name for name in NETWORKS if not name.startswith(("EmbeddingBag", "GroupNorm", "InstanceNorm", "Embedding "))],
)
def test_our_own_models_come_back(name, opset):
    """All but groups of columns and bags of rows, whose nodes of three axes are not recognised."""
    for dtype in ("float32", "float64"):
        net, draw, model = exported(name, dtype, opset=opset)
        twin, x = fastnn.onnx.load(model.SerializeToString()), draw(7)
        assert twin.dtype == dtype
        np.testing.assert_allclose(twin.predict(x), net.predict(x), **TOLERANCES[dtype])
        left_out = (nn.Identity, nn.Flatten, nn.Dropout, nn.AlphaDropout, nn.GaussianDropout, nn.GaussianNoise)
        if name.startswith("BatchNorm") and dtype == "float64":
            continue  # written out, it comes back as its scale and shift
        if name not in (*FORMULAS, "TabularInput", "Concat", "CELU"):  # CELU(1) is ELU(1)
            assert kinds(twin) == [type(layer).__name__ for layer in net if not isinstance(layer, left_out)]


@pytest.mark.parametrize(
    "name", ["torch_wiring_dynamo", "torch_norms_script", "torch_table_script", "keras_functional"]
)
def test_a_loaded_network_is_trained_saved_and_exported_again(name, tmp_path):
    path, inputs, expected = recorded(name)
    net = fastnn.onnx.load(path)
    x = np.hstack([x.astype(net.dtype) for x in inputs]) if len(inputs) > 1 else inputs[0]
    model = fastnn.onnx.export(net, input_shape=x.shape[1:])
    np.testing.assert_allclose(evaluate(model, x), expected, rtol=1e-4, atol=1e-5)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.Adam(net.parameters(), lr=1e-2))
    history = trainer.fit(x, np.zeros_like(expected), epochs=20, seed=0)
    assert history["loss"][-1] < history["loss"][0]
    net.save(tmp_path / "net.safetensors")
    assert (fastnn.load(tmp_path / "net.safetensors").predict(x) == net.predict(x)).all()


def test_gradients_of_a_product_are_right():
    net = nn.Sequential(nn.Linear(3, 4), fastnn.onnx.Product(), dtype="float64", seed=0)
    x = np.random.default_rng(0).normal(size=(5, 3))
    assert fastnn.gradcheck(net, x)
    with pytest.raises(ValueError, match="Product: x has 3 features"):
        nn.Sequential(nn.Linear(2, 3), fastnn.onnx.Product())


def test_paths_files_and_bytes_are_read(tmp_path):
    _, draw, model = exported("Residual")
    data, x = model.SerializeToString(), draw(3)
    (tmp_path / "net.onnx").write_bytes(data)
    sources = (tmp_path / "net.onnx", str(tmp_path / "net.onnx"), data, memoryview(data), io.BytesIO(data))
    outputs = [fastnn.onnx.load(source).predict(x) for source in sources]
    assert all((y == outputs[0]).all() for y in outputs)
    with pytest.raises(FileNotFoundError):
        fastnn.onnx.load(tmp_path / "none.onnx")
    with pytest.raises(fastnn.FileFormatError, match="is a folder"):
        fastnn.onnx.load(tmp_path)


# -- wiring ------------------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(5)
W = {f"w{i}": RNG.normal(size=(4, 4)) for i in range(4)}
WIRINGS = {
    "skip": [("MatMul", "x w0", "a"), ("Relu", "a", "b"), ("Add", "b x", "y")],
    "both sides": [("MatMul", "x w0", "a"), ("MatMul", "x w1", "b"), ("Add", "a b", "y")],
    "difference": [("MatMul", "x w0", "a"), ("Tanh", "x", "b"), ("Sub", "a b", "y")],
    "nested": [
        ("MatMul", "x w0", "a"), ("MatMul", "a w1", "b"), ("Add", "a b", "c"), ("Relu", "c", "d"), ("Add", "d x", "y"),
    ],
    "dense": [
        ("MatMul", "x w0", "a"), ("Add", "x a", "b"), ("MatMul", "b w1", "c"), ("Add", "a c", "d"), ("Add", "d x", "e"),
        ("Concat", "a e b x", "y", {"axis": 1}),
    ],
    "tangled within": [
        ("MatMul", "x w0", "s"), ("MatMul", "s w1", "a"), ("Add", "s a", "b"), ("MatMul", "b w2", "c"),
        ("Mul", "a c", "d"), ("Add", "d b", "e"), ("Tanh", "e", "f"), ("MatMul", "f w3", "g"), ("Add", "g x", "y"),
    ],
    "product": [("MatMul", "x w0", "a"), ("MatMul", "a w1", "b"), ("Mul", "a b", "y")],
    "quick gelu": [("MatMul", "x w0", "a"), ("Mul", "a k", "b"), ("Sigmoid", "b", "c"), ("Mul", "a c", "y")],
    "gate": [("MatMul", "x w0", "a"), ("MatMul", "x w1", "b"), ("Sigmoid", "b", "c"), ("Mul", "c a", "y")],
    "input twice": [("Add", "x x", "y")],
    "square": [("MatMul", "x w0", "a"), ("Mul", "a a", "y")],
    "wider": [
        ("MatMul", "x w0", "a"), ("Split", "a", "b c d e", {"axis": 1}), ("Add", "a c", "f"), ("Mul", "f b", "y"),
    ],
    "moved": [
        ("MatMul", "x w0", "a"), ("Split", "a", "b c d e", {"axis": 1}), ("Concat", "d b e b", "y", {"axis": -1}),
    ],
    "scaled": [("Mul", "x v", "a"), ("Add", "a v", "b"), ("Sub", "one b", "c"), ("Div", "c v", "d"), ("Neg", "d", "y")],
}  # fmt: skip


@pytest.mark.parametrize("name", WIRINGS)
def test_wirings(name):
    constants = {**W, "k": 1.702, "v": [0.5, -2.0, 3.0, 1.0], "one": 1.0}
    used = {word for _, inputs, *_ in WIRINGS[name] for word in inputs.split()}
    width = 16 if name == "dense" else 4
    data = graph(
        WIRINGS[name], {"x": [None, 4]}, {"y": [None, width]}, {k: v for k, v in constants.items() if k in used}
    )
    net, x = fastnn.onnx.load(data), RNG.normal(size=(9, 4)).astype("float32")
    np.testing.assert_allclose(net.predict(x), evaluate(onnx.load_from_string(data), x), rtol=1e-4, atol=1e-5)
    expected = sum(constants[word].size for word in used & W.keys())
    shared = sum(view.size for key, view in net.named_parameters() if view.ndim > 1)
    assert shared == expected  # no matrix is there twice


def test_deep_residual_networks_and_long_chains_take_no_recursion():
    nodes = [("MatMul", "x w0", "z0")]
    for i in range(300):
        nodes += [("Tanh", f"z{i}", f"t{i}"), ("Add", f"z{i} t{i}", f"z{i + 1}")]
    data = graph(nodes, {"x": [None, 4]}, {"z300": [None, 4]}, {"w0": 0.1 * W["w0"]})
    assert kinds(fastnn.onnx.load(data)) == ["Linear"] + ["Residual"] * 300


def test_several_inputs_and_outputs():
    nodes = [
        ("Concat", "x z", "a", {"axis": 1}), ("MatMul", "a w", "b"), ("Relu", "b", "first"), ("Tanh", "z", "1.second"),
        ("ArgMax", "b", "label", {"axis": 1}),
    ]  # fmt: skip
    data = graph(
        nodes,
        {"x": [None, 2], "z": [None, 3]},
        {"first": [None, 4], "1.second": [None, 3]},
        {"w": RNG.normal(size=(5, 4))},
    )
    net = fastnn.onnx.load(data)
    x, z = RNG.normal(size=(6, 2)).astype("float32"), RNG.normal(size=(6, 3)).astype("float32")
    session = onnx.reference.ReferenceEvaluator(data)
    expected = session.run(["first", "1.second"], {"x": x, "z": z})
    outputs = list(net)[-1].split(net.predict(np.hstack((x, z))))
    assert list(outputs) == ["first", "_1_second"]
    for name, values in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(outputs[name], values, rtol=1e-5, atol=1e-6)
    only = fastnn.onnx.load(data, outputs=["1.second"])
    np.testing.assert_allclose(only.predict(np.hstack((x, z))), expected[1], rtol=1e-5)
    with pytest.raises(ValueError, match=r"no output is called 'third'; there are first, 1\.second"):
        fastnn.onnx.load(data, outputs=["third"])


def test_tangled_outputs():
    nodes = [("MatMul", "x w0", "a"), ("Tanh", "a", "b"), ("MatMul", "b w1", "c"), ("Add", "b c", "d")]
    data = graph(
        nodes, {"x": [None, 4]}, {"b": [None, 4], "c": [None, 4], "d": [None, 4]}, {k: W[k] for k in ("w0", "w1")}
    )
    x = RNG.normal(size=(6, 4)).astype("float32")
    np.testing.assert_allclose(
        fastnn.onnx.load(data).predict(x), evaluate(onnx.load_from_string(data), x), rtol=1e-4, atol=1e-5
    )


def test_rows_of_several_axes():
    data = graph(
        [("MatMul", "x w0", "a"), ("Softmax", "a", "y")], {"x": [None, 5, 4]}, {"y": [None, 5, 4]}, {"w0": W["w0"]}
    )
    x = RNG.normal(size=(3, 5, 4)).astype("float32")
    expected = onnx.reference.ReferenceEvaluator(data).run(None, {"x": x})[0]
    np.testing.assert_allclose(fastnn.onnx.load(data).predict(x), expected, rtol=1e-5, atol=1e-6)
