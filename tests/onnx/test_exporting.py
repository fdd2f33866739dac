"""Networks as ONNX models: the same outputs by the reference evaluator of onnx and by ONNX Runtime."""

import io
import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import shape_inference

import fastnn
import fastnn.onnx
from fastnn import nn
from fastnn.nn.activations.activation import Activation
from fastnn.nn.registry import LAYERS
from fastnn.onnx import exporting
from fastnn.onnx.activation_nodes import ACTIVATIONS
from fastnn.onnx.layer_nodes import CONVERTERS, find
from support.onnx_models import NETWORKS, TOLERANCES, evaluate, exported, network

OPSETS = (13, 17, 20, 23)
# Not ModuleList, which only holds layers, GraphModule, which is traced, nor layers of two inputs; nor LinearInt8, which
# has no converter: export the network that was frozen.
OTHERS = (nn.ModuleList, nn.GraphModule, nn.Bilinear, nn.CosineSimilarity, nn.PairwiseDistance, nn.LinearInt8)
RUNNING = {name: cls for name, cls in LAYERS.items() if cls not in OTHERS}
# float64 operators that ONNX Runtime has no kernel for.
WITHOUT_KERNEL = ("Erf",)


def runtime(model, x):
    """The outputs by ONNX Runtime."""
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.hstack(session.run(None, {session.get_inputs()[0].name: x}))


def sizes(name):
    """Numbers of rows; a batch that is normalized by its own statistics must have more than one."""
    return (7, 64) if "track_running_stats" in name else (1, 7, 64)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_reference_evaluator_computes_the_same(name, dtype):
    for opset in OPSETS:
        if opset == 13 and name.startswith("BatchNorm"):
            continue  # the evaluator normalizes by the batch in this version of the operator; ONNX Runtime does not
        net, draw, model = exported(name, dtype, opset=opset)
        for rows in sizes(name):
            x = draw(rows)
            np.testing.assert_allclose(
                evaluate(model, x), net.predict(x), **TOLERANCES[dtype], err_msg=f"opset {opset}"
            )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_runtime_computes_the_same(name, dtype):
    net, draw, model = exported(name, dtype)
    if dtype == "float64" and any(node.op_type in WITHOUT_KERNEL for node in model.graph.node):
        pytest.skip("no kernel for float64")
    for rows in sizes(name):
        x = draw(rows)
        np.testing.assert_allclose(runtime(model, x), net.predict(x), **TOLERANCES[dtype])


@pytest.mark.parametrize("opset", range(13, onnx.defs.onnx_opset_version() + 1))
def test_every_opset_passes_the_checker_and_strict_inference(opset):
    for name in NETWORKS:
        for dtype in ("float32", "float64"):
            _, _, model = exported(name, dtype, opset=opset)
            onnx.checker.check_model(model, full_check=True)
            inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
            shapes = {value.name for value in (*inferred.graph.value_info, *inferred.graph.output)}
            assert {name for node in model.graph.node for name in node.output} <= shapes


@pytest.mark.parametrize("cls", RUNNING.values(), ids=lambda cls: cls.__name__)
def test_every_layer_has_a_converter(cls):
    """A new layer needs one in fastnn/onnx/layer_nodes.py, or nodes for its kernel in activation_nodes.py."""
    assert cls in CONVERTERS
    if issubclass(cls, Activation):
        assert (cls.kernel if isinstance(cls.kernel, str) else cls().kernel) in ACTIVATIONS


def test_every_layer_is_among_the_networks_above():
    used = {type(layer) for name in NETWORKS for layer in network(name)[0].modules()}
    assert used >= set(RUNNING.values())


class Scale(nn.Module):
    def forward(self, x):
        return 2 * x

    def backward(self, grad_output):
        return 2 * grad_output


class Own(nn.Linear):
    def plan(self, builder, label, position):
        raise NotImplementedError


class Renamed(nn.Linear):
    pass


def test_layers_of_users_are_refused_by_name_all_at_once():
    net = nn.Sequential(nn.Linear(2, 2), nn.Residual(Scale()), nn.Linear(2, 2), Scale())
    with pytest.raises(TypeError, match=r"no ONNX converter for 1.body: Scale; 3: Scale: .*fastnn.onnx.converter"):
        fastnn.onnx.export(net)
    assert find(Renamed(1, 1)) is CONVERTERS[nn.Linear]
    assert find(Own(1, 1)) is None


def test_a_converter_of_a_user():
    class Twice(Scale):
        pass

    @fastnn.onnx.converter(Twice)
    def convert(writer, layer, x):
        return writer.node("Mul", x.name, writer.constant(2.0)), x.features

    net = nn.Sequential(nn.Linear(2, 3), Twice(), nn.ReLU(), seed=0)
    x = np.ones((4, 2), "float32")
    np.testing.assert_allclose(evaluate(fastnn.onnx.export(net), x), net.predict(x), rtol=1e-6)
    with pytest.raises(TypeError, match=r"converter takes subclasses of nn\.Module, got 3"):
        fastnn.onnx.converter(3)


def test_names_are_those_of_the_parameters():
    net, _ = network("Residual")
    model = fastnn.onnx.export(net, name="mine", metadata={"author": "me"})
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for name, view in net.named_parameters():
        assert (arrays[name] == view).all()
    assert model.graph.name == "mine" and model.producer_name == "fastnn"
    assert model.producer_version == fastnn.__version__
    assert {entry.key: entry.value for entry in model.metadata_props} == {"author": "me"}


def test_heads_are_outputs_of_their_names():
    net, _ = network("Heads")
    model = fastnn.onnx.export(net)
    assert [(o.name, o.type.tensor_type.shape.dim[1].dim_value) for o in model.graph.output] == [
        ("price", 1),
        ("kind", 3),
    ]


def test_folded_networks_are_exported_too():
    net, draw = network("BatchNorm1d-{'num_features': 6}")
    model, x = fastnn.onnx.export(net.fold()), draw(5)
    assert [node.op_type for node in model.graph.node] == ["Gemm"]
    np.testing.assert_allclose(evaluate(model, x), net.predict(x), rtol=1e-5, atol=1e-6)


def test_a_layer_alone_is_exported():
    layer = nn.Linear(3, 2, seed=0)
    x = np.ones((4, 3), "float32")
    np.testing.assert_allclose(evaluate(fastnn.onnx.export(layer), x), layer(x), rtol=1e-6)


def test_a_network_without_layers_is_the_identity():
    model = fastnn.onnx.export(nn.Sequential(), input_shape=(3,))
    x = np.ones((2, 3), "float32")
    assert (evaluate(model, x) == x).all()


@pytest.mark.parametrize("dynamic", [True, False])
def test_the_number_of_rows(dynamic):
    model = fastnn.onnx.export(nn.Linear(3, 2), dynamic_batch=dynamic)
    axis = model.graph.input[0].type.tensor_type.shape.dim[0]
    assert (axis.dim_param, axis.dim_value) == (("batch", 0) if dynamic else ("", 1))


def test_images_with_several_axes():
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 2), seed=0)
    x = np.random.default_rng(0).normal(size=(5, 3, 4)).astype("float32")
    model = fastnn.onnx.export(net, input_shape=(3, 4))
    np.testing.assert_allclose(evaluate(model, x), net.predict(x), rtol=1e-5, atol=1e-6)


def test_a_path_and_a_file_object(tmp_path):
    net, buffer = nn.Linear(3, 2, seed=0), io.BytesIO()
    model = fastnn.onnx.export(net, tmp_path / "net.onnx")
    fastnn.onnx.export(net, buffer)
    assert (tmp_path / "net.onnx").read_bytes() == buffer.getvalue() == model.SerializeToString()
    with pytest.raises(TypeError, match="binary"):
        fastnn.onnx.export(net, io.StringIO())
    with pytest.raises(FileNotFoundError):
        fastnn.onnx.export(net, tmp_path / "nowhere" / "net.onnx")


def test_a_model_that_is_too_large_for_a_file_is_refused(monkeypatch):
    monkeypatch.setattr(exporting, "MAX_BYTES", 100)
    with pytest.raises(ValueError, match=r"the model takes \d+ bytes, and an ONNX file at most 100"):
        fastnn.onnx.export(nn.Linear(10, 10))


def test_an_activation_without_nodes_is_named(monkeypatch):
    monkeypatch.delitem(ACTIVATIONS, "mish")
    with pytest.raises(TypeError, match="no ONNX converter for 1: Mish"):
        fastnn.onnx.export(nn.Sequential(nn.Linear(2, 2), nn.Mish()))


def test_feature_names_travel():
    net = nn.Sequential(nn.Linear(2, 1), seed=0)
    net.feature_names = ("a", "b")
    model = fastnn.onnx.export(net)
    assert json.loads(model.metadata_props[0].value) == ["a", "b"]
    assert fastnn.onnx.load(model.SerializeToString()).feature_names == ("a", "b")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"opset": 12}, ValueError, "opset must be at least 13"),
        ({"opset": 1000}, ValueError, "opset must be at most"),
        ({"opset": "17"}, TypeError, "opset must be an integer"),
        ({"dynamic_batch": 3}, TypeError, "dynamic_batch"),
        ({"metadata": {"a": 1}}, TypeError, "metadata must be a dict of text to text"),
        ({"input_shape": (3,)}, ValueError, r"input_shape must have 2 features, got \(3,\)"),
        ({"input_shape": (1, 2)}, ValueError, "only a network that begins with Flatten"),
        ({"path_or_file": 3.5}, TypeError, "path must be"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        fastnn.onnx.export(nn.Sequential(nn.Linear(2, 1)), **arguments)


def test_what_is_no_network_and_what_takes_any_features():
    with pytest.raises(TypeError, match="net must be a network or a layer, got int"):
        fastnn.onnx.export(3)
    with pytest.raises(ValueError, match="input_shape must be given: this network takes any number of features"):
        fastnn.onnx.export(nn.Sequential(nn.ReLU()))
    with pytest.raises(ValueError, match="GLU: x has 3 features"):
        fastnn.onnx.export(nn.Sequential(nn.GLU()), input_shape=(3,))


def test_fastnn_imports_no_onnx_and_a_missing_onnx_is_explained():
    code = (
        "import sys; sys.modules['onnx'] = None; import fastnn, fastnn.nn, fastnn.training\n"
        "try:\n    import fastnn.onnx\nexcept ImportError as error:\n    print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == 'fastnn.onnx needs the onnx package: pip install "fastnn-core[onnx]"', result.stderr
    code = "import sys, fastnn, fastnn.nn, fastnn.training; assert 'onnx' not in sys.modules; import fastnn.onnx"
    subprocess.run([sys.executable, "-c", code], check=True)
