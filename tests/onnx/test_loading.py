"""ONNX models as networks: those of PyTorch, Keras and skl2onnx, our own, and wiring of every kind."""

import copy
import io
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

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
@pytest.mark.parametrize("name", NETWORKS)
def test_our_own_models_come_back(name, opset):
    for dtype in ("float32", "float64"):
        net, draw, model = exported(name, dtype, opset=opset)
        twin, x = fastnn.onnx.load(model.SerializeToString()), draw(7)
        assert twin.dtype == dtype
        np.testing.assert_allclose(twin.predict(x), net.predict(x), **TOLERANCES[dtype])
        left_out = (nn.Identity, nn.Flatten, nn.Dropout, nn.AlphaDropout, nn.GaussianDropout, nn.GaussianNoise)
        if name.startswith("BatchNorm") and dtype == "float64":
            continue  # written out, it comes back as its scale and shift
        if name not in ("TabularInput", "Concat", "CELU"):  # CELU(1) is ELU(1)
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


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_all_nodes_without_a_layer_are_named_at_once():
    nodes = [("Sin", "x", "a"), ("Relu", "a", "b"), ("Erf", "b", "c"), ("Pow", "c k", "d"), ("CumSum", "d k", "y")]
    data = graph(nodes, {"x": [None, 4]}, {"y": [None, 4]}, {"k": np.array(1)})
    with pytest.raises(ValueError, match="no layers for these nodes") as caught:
        fastnn.onnx.load(data)
    for part in ("CumSum: 'y'", "Pow: 'd' (it is no square or cube)", "Erf: 'c'", "Sin: 'a'"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([("Softmax", "x", "y", {"axis": 0})], "axis 0"),
        ([("Reshape", "x s", "y")], "other rows"),
        ([("Transpose", "x", "y", {"perm": [1, 0]})], "it moves rows"),
        ([("MatMul", "w x", "y")], "its input 0 is constant"),
        ([("Clip", "x k", "y")], "it has bounds 0.5 and None"),
        ([("Slice", "x zero one zero", "y")], "it selects rows"),
        ([("Cast", "x", "a", {"to": 7}), ("Cast", "a", "y", {"to": 1})], "rounds to integers"),
    ],
)
def test_reasons(nodes, message):
    constants = {"s": np.array([4, -1]), "w": W["w0"], "k": 0.5, "zero": np.array([0]), "one": np.array([1])}
    used = {word for _, inputs, *_ in nodes for word in inputs.split()}
    data = graph(nodes, {"x": [None, 4]}, {"y": None}, {k: v for k, v in constants.items() if k in used})
    with pytest.raises(ValueError, match=message):
        fastnn.onnx.load(data)


def test_external_data_are_refused_and_never_opened(tmp_path):
    _, _, model = exported("Residual")
    onnx.save(model, tmp_path / "net.onnx", save_as_external_data=True, size_threshold=0)
    with pytest.raises(
        ValueError, match="is stored in another file, which fastnn does not open: put all data into one"
    ):
        fastnn.onnx.load(tmp_path / "net.onnx")
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")
    with pytest.raises(ValueError, match="is stored in another file"):
        fastnn.onnx.load(model.SerializeToString())


def test_functions_are_inlined_and_those_that_grow_without_bound_are_refused():
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    double = helper.make_function("mine", "f0", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], opsets)
    functions = [double]
    for i in range(1, 40):
        calls = [helper.make_node(f"f{i - 1}", [n], [m], domain="mine") for n, m in (("a", "t"), ("t", "b"))]
        functions.append(helper.make_function("mine", f"f{i}", ["a"], ["b"], calls, opsets))
    ends = [helper.make_tensor_value_info(name, 1, [None, 3]) for name in "xy"]

    def model(last, functions):
        nodes = [helper.make_node(f"f{last}", ["x"], ["y"], domain="mine")]
        return helper.make_model(
            helper.make_graph(nodes, "g", ends[:1], ends[1:]), opset_imports=opsets, functions=functions
        ).SerializeToString()

    x = np.ones((2, 3), "float32")
    assert (fastnn.onnx.load(model(2, functions[:3])).predict(x) == 16).all()
    with pytest.raises(fastnn.FileFormatError, match="more than 20000 nodes"):
        fastnn.onnx.load(model(39, functions))
    circle = helper.make_function(
        "mine", "f0", ["a"], ["b"], [helper.make_node("f0", ["a"], ["b"], domain="mine")], opsets
    )
    with pytest.raises(fastnn.FileFormatError, match="more than 20000 nodes"):
        fastnn.onnx.load(model(0, [circle]))


def test_a_small_file_makes_no_large_arrays():
    huge = np.array([1 << 40])
    cases = [
        [("ConstantOfShape", "huge", "c"), ("Add", "x c", "y")],
        [("Add", "x row", "y")],
    ]
    for nodes in cases:
        shape = [None, 1 << 40] if nodes[0][0] == "Add" else [None, 4]
        data = graph(nodes, {"x": shape}, {"y": shape}, {"huge": huge} if shape[1] == 4 else {"row": [1.0]})
        with pytest.raises(ValueError, match=r"values|features|constant of shape"):
            fastnn.onnx.load(data)
    column, row = np.zeros((1 << 12, 1)), np.zeros((1, 1 << 12))
    data = graph(
        [("Add", "a b", "c"), ("MatMul", "x c", "y")], {"x": [None, 4096]}, {"y": [None, 4096]}, {"a": column, "b": row}
    )
    with pytest.raises(fastnn.FileFormatError, match="a result of 16777216 values"):
        fastnn.onnx.load(data)


def test_many_small_nodes_make_no_large_network():
    """Ten thousand nodes that would each make a large layer, in a file of some hundred kilobytes."""
    shifts = [("Add" if i % 2 else "Relu", f"z{i} one" if i % 2 else f"z{i}", f"z{i + 1}") for i in range(400)]
    tied = [("MatMul", f"z{i} w", f"z{i + 1}") for i in range(400)]
    halves = [("Slice", f"z{i} zero width one_ one_", f"z{i + 1}") for i in range(400)]
    numbers = {"zero": np.array([0]), "one_": np.array([1]), "width": np.array([1 << 20])}
    for nodes, width, constants in (
        (shifts, 1 << 20, {"one": 1.0}), (tied, 512, {"w": np.zeros((512, 512))}), (halves, 1 << 20, numbers)
    ):  # fmt: skip
        data = graph(nodes, {"z0": [None, width]}, {"z400": [None, width]}, constants)
        start = time.perf_counter()
        with pytest.raises(ValueError, match=r"far more memory than the file|selections of features"):
            fastnn.onnx.load(data)
        assert time.perf_counter() - start < 20


def test_what_is_no_model():
    for data in (b"", b"something else", b"\x80\x02", b"PK\x03\x04" * 10, bytes(100)):
        with pytest.raises(fastnn.FileFormatError):
            fastnn.onnx.load(data)
    with pytest.raises(TypeError, match="path must be"):
        fastnn.onnx.load(3)


def damaged(change):
    model = copy.deepcopy(exported("Residual")[2])
    change(model)
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.graph.initializer[0].dims.append(2), "truncated or damaged"),
        (lambda m: setattr(m.graph.initializer[0], "raw_data", b"abc"), "truncated or damaged"),
        (lambda m: setattr(m.graph.initializer[0], "data_type", 99), "element type 99"),
        (lambda m: m.graph.initializer[0].dims.__setitem__(0, -1), "its shape is"),
        (lambda m: m.graph.node[0].input.__setitem__(0, "none"), "'none' is not computed before it"),
        (lambda m: m.graph.node[1].output.__setitem__(0, m.graph.node[0].output[0]), "is there already"),
        (lambda m: m.graph.node.reverse(), "is not computed before it"),
        (lambda m: setattr(m.graph.output[0], "name", "none"), "output 'none' is not computed"),
        (lambda m: m.ClearField("graph"), "no graph"),
        (lambda m: m.ClearField("opset_import"), "no version of operators"),
    ],
)
def test_damaged_models(change, message):
    with pytest.raises(fastnn.FileFormatError, match=message):
        fastnn.onnx.load(damaged(change))


@pytest.mark.parametrize("name", ["torch_norms_script", "torch_table_dynamo", "sklearn_binary", "torch_view_script"])
def test_truncated_and_flipped_files_are_refused_or_loaded(name):
    """Any damage ends in a network or in an error of the documented types, quickly."""
    data = (RECORDED / f"{name}.onnx").read_bytes()
    rng = np.random.default_rng(3)
    broken = [data[: int(end)] for end in rng.integers(0, len(data), 60)]
    for _ in range(150):
        flipped = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            flipped[place] ^= 1 << int(rng.integers(8))
        broken.append(bytes(flipped))
    refused = 0
    for content in broken:
        try:
            fastnn.onnx.load(content)
        except ValueError:
            refused += 1
    assert refused > 50


def test_numbers_of_all_stored_types():
    weight = RNG.normal(size=(3, 2))
    for kind, dtype in (
        (TensorProto.FLOAT16, "float16"),
        (TensorProto.DOUBLE, "float64"),
        (TensorProto.FLOAT, "float32"),
    ):
        tensor = numpy_helper.from_array(weight.astype(dtype), "w")
        ends = [helper.make_tensor_value_info(name, kind, [None, n]) for name, n in (("x", 3), ("y", 2))]
        nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
        model = helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], [tensor]))
        net = fastnn.onnx.load(model.SerializeToString())
        assert net.dtype == ("float64" if dtype == "float64" else "float32")
        np.testing.assert_array_equal(net["0.weight"], weight.astype(dtype))
