"""The official node tests of onnx, computed by the kernels of fastnn through `fastnn.onnx.backend`."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.backend.base import Backend, BackendRep
from onnx.reference import ReferenceEvaluator

import fastnn.onnx
from fastnn.onnx import backend, new_ops
from support import onnx_cases

PAGE = Path(__file__).parent.parent.parent / "docs" / "onnx.md"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("name", onnx_cases.CASES)
def test_official_cases(name):
    onnx_cases.run(onnx_cases.CASES[name][1])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", onnx_cases.MODELS)
def test_official_models_of_pytorch(name):
    onnx_cases.run_stored(onnx_cases.MODELS[name])


def test_official_cases_are_loaded_as_networks_or_refused_as_they_should():
    """What is loaded computes the same; no valid model is called damaged."""
    loaded = 0
    for name, (_, case) in onnx_cases.CASES.items():
        try:
            net = fastnn.onnx.load(case.model.SerializeToString())
        except fastnn.FileFormatError as error:
            raise AssertionError(name) from error
        except ValueError:
            continue
        (inputs, outputs), *_ = case.data_sets
        x = np.concatenate([np.asarray(value).astype(net.dtype) for value in inputs], axis=-1)
        y = outputs[0].astype(net.dtype)  # the others are masks and statistics, which are no output by themselves
        if len(inputs) == 1 and y.shape == net.predict(x).shape:
            close = {"rtol": 2e-2, "atol": 2e-2} if "16" in outputs[0].dtype.name else {"rtol": 1e-3, "atol": 1e-5}
            np.testing.assert_allclose(net.predict(x), y, **close, err_msg=name)
            loaded += 1
    assert loaded > 30


@pytest.mark.skipif(onnx.__version__ != onnx_cases.VERSION, reason="another version of onnx has other cases")
def test_the_table_in_the_documentation_is_that_of_the_cases():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = onnx_cases.table()
    assert table in PAGE.read_text(), "python -m support.onnx_cases prints it"


def model_of(op, *arrays, opset=None, **attributes):
    kind = helper.np_dtype_to_tensor_dtype(arrays[0].dtype)
    names = [f"x{i}" for i in range(len(arrays))]
    ends = [helper.make_tensor_value_info(name, kind, array.shape) for name, array in zip(names, arrays, strict=True)]
    node = helper.make_node(op, names, ["y"], **attributes)
    opsets = [helper.make_opsetid("", opset or onnx.defs.onnx_opset_version())]
    outputs = [helper.make_tensor_value_info("y", kind, ["any"])]
    return helper.make_model(helper.make_graph([node], "g", ends, outputs), opset_imports=opsets)


def test_new_ops_replace_single_operators_of_any_model():
    x = np.array([[-1.0, 2.0]], "float32")
    evaluator = ReferenceEvaluator(model_of("Relu", x), new_ops=new_ops)
    assert isinstance(evaluator.rt_nodes_[0], fastnn.onnx.operators.Kernel)
    assert evaluator.run(None, {"x0": x})[0].tolist() == [[0.0, 2.0]]
    assert len({(op.op_domain, op.__name__) for op in new_ops}) == len(new_ops)


@pytest.mark.parametrize("dtype", ["float16", "int32", "float64"])
def test_other_dtypes_go_to_the_implementation_of_onnx(dtype):
    a, b = np.array([[1, 2]], dtype), np.array([[3, 4]], dtype)
    with onnx_cases.Counting() as counting:
        (y,) = backend.run_model(model_of("Add", a, b), [a, b])
    assert y.dtype == dtype and y.tolist() == [[4, 6]]
    assert counting.own == (dtype == "float64")


def test_versions_of_other_meaning_go_to_the_implementation_of_onnx():
    x = np.array([[1.0, -1.0]], "float32")
    with onnx_cases.Counting() as counting:
        backend.run_model(model_of("Softmax", x, opset=11), [x])
    assert counting.own == 0
    with onnx_cases.Counting() as counting:
        backend.run_model(model_of("Softmax", x, opset=13), [x])
    assert counting.own == 1


@pytest.mark.parametrize(
    ("op", "shapes"),
    [
        ("Relu", [()]), ("Gelu", [(2, 0, 3)]), ("MatMul", [(3,), (3,)]), ("MatMul", [(2, 1, 3, 4), (5, 4, 2)]),
        ("MatMul", [(2, 3), (3,)]), ("Add", [(2, 1), (3,)]), ("PRelu", [(2, 3, 4), (3, 1)]), ("Softmax", [(2, 3, 4)]),
    ],
)  # fmt: skip
def test_shapes_that_official_cases_do_not_have(op, shapes):
    rng = np.random.default_rng(0)
    arrays = [np.asarray(rng.normal(size=shape)).astype("float32") for shape in shapes]
    model, feeds = model_of(op, *arrays), {f"x{i}": array for i, array in enumerate(arrays)}
    expected = ReferenceEvaluator(model).run(None, feeds)[0]
    (y,) = backend.run_model(model, arrays)
    assert np.shape(y) == np.shape(expected)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bounds", [(None, 0.5), (-0.5, None), (0.5, -0.5), (-0.5, 0.5)])
def test_clip_with_any_bounds(bounds):
    x = np.array([-1.0, 0.0, np.nan, 1.0], "float32")
    arrays = [x, *(np.float32(0 if bound is None else bound) for bound in bounds)]
    model = model_of("Clip", *map(np.asarray, arrays))
    for i, bound in enumerate(bounds):
        if bound is None:
            model.graph.node[0].input[i + 1] = ""
    feeds = {f"x{i}": array for i, array in enumerate(arrays)}
    np.testing.assert_array_equal(backend.run_model(model, arrays)[0], ReferenceEvaluator(model).run(None, feeds)[0])


def test_the_interface_of_backends():
    assert issubclass(backend.FastnnBackend, Backend)
    model = fastnn.onnx.export(fastnn.nn.Linear(2, 1, weight_init=1.0, bias_init=0.5))
    rep, x = backend.prepare(model), np.ones((3, 2), "float32")
    assert isinstance(rep, BackendRep)
    for inputs in ([x], x, {"input": x}):
        assert rep.run(inputs)[0].tolist() == [[2.5]] * 3
    assert backend.is_compatible(model)
    assert [backend.supports_device(name) for name in ("CPU", "CPU:0", "CUDA", "CUDA:1", "TPU")] == [True, True] + [
        False
    ] * 3
    with pytest.raises(ValueError, match="device must be \"CPU\", got 'CUDA'"):
        backend.prepare(model, "CUDA")
    with pytest.raises(onnx.checker.ValidationError):
        backend.prepare(onnx.ModelProto())


def test_run_node():
    x = np.array([[1.0, -2.0]], "float32")
    assert backend.run_node(helper.make_node("Relu", ["x"], ["y"]), [x])[0].tolist() == [[1.0, 0.0]]
    old = backend.run_node(helper.make_node("Relu", ["x"], ["y"]), [x], opset_version=13)
    assert old[0].tolist() == [[1.0, 0.0]]
    rate, steps, state = np.float32(0.5), np.int64(0), np.zeros((1, 2), "float32")
    node = helper.make_node("Momentum", list("rtxgv"), ["a", "b"], domain=operators_domain(), alpha=0.5, beta=1.0,
                            mode="standard", norm_coefficient=0.0)  # fmt: skip
    param, buffer = backend.run_node(node, [rate, steps, x, x, state])
    assert param.tolist() == [[0.5, -1.0]] and buffer.tolist() == x.tolist()


def operators_domain():
    return fastnn.onnx.operators.TRAINING


def test_functions_of_a_model_use_the_kernels_too():
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    body = [helper.make_node("Relu", ["a"], ["b"])]
    function = helper.make_function("mine", "rectify", ["a"], ["b"], body, opsets)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 2]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("rectify", ["x"], ["y"], domain="mine")], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=opsets, functions=[function])
    with onnx_cases.Counting() as counting:
        assert backend.run_model(model, [np.array([[-1.0, 1.0]], "float32")])[0].tolist() == [[0.0, 1.0]]
    assert counting.own == 1
