"""Networks as C: compiled as strictly as it goes, and run beside `predict`."""

import ctypes
import os
import shutil
import subprocess

import numpy as np
import pytest

import fastnn
from fastnn import nn
from fastnn.c_source.functions import EXPRESSIONS
from fastnn.nn.tracing.functions import Function
from fastnn.testing.measure import assert_same_bits
from support.layers import draw
from support.traced import CASES
from support.traced_modules import Traced

STRICT = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-ffp-contract=off"]
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
# Not exactly those of the C library: exp and what is made of it differ by some ULP.
CLOSE = {"float32": {"rtol": 3e-5, "atol": 3e-6}, "float64": {"rtol": 1e-11, "atol": 1e-12}}
LAYERS = {
    "Embedding": lambda: [nn.Columns([0, 1]), nn.Embedding(5, 3)],
    "Embedding of rows of a largest norm": lambda: [nn.Embedding(5, 3, max_norm=0.5)],
    **{
        f"EmbeddingBag {mode}": lambda mode=mode: [nn.EmbeddingBag(5, 3, mode=mode, padding_idx=1)]
        for mode in ("sum", "mean", "max")
    },
    "GroupNorm": lambda: [nn.GroupNorm(2, 4), nn.Tanh()],
    "GroupNorm of positions": lambda: [nn.GroupNorm(1, 2, eps=0.1)],
    "InstanceNorm1d": lambda: [nn.InstanceNorm1d(2, affine=True)],
    "BatchNorm1d": lambda: [nn.BatchNorm1d(4), nn.Tanh()],
    "LayerNorm": lambda: [nn.LayerNorm(4), nn.ReLU()],
    "RMSNorm": lambda: [nn.RMSNorm(4)],
    "PReLU": lambda: [nn.PReLU(4, init=0.25)],
    "PReLU of one slope": lambda: [nn.PReLU()],
    "Temperature": lambda: [nn.Temperature(2.0)],
    "Softmax": lambda: [nn.Softmax(temperature=2.0)],
    "LogSoftmax": lambda: [nn.LogSoftmax()],
    "Softmin": lambda: [nn.Softmin(temperature=0.5)],
    "RReLU": lambda: [nn.RReLU()],
    "GLU": lambda: [nn.GLU()],
    "SwiGLU": lambda: [nn.SwiGLU()],
    "Maxout": lambda: [nn.Maxout(2)],
    "Concat": lambda: [nn.Concat(nn.Linear(4, 2), nn.Sequential(), nn.ReLU())],
    "Heads": lambda: [nn.Heads(a=nn.Linear(4, 2), b=nn.Linear(4, 1))],
    "Dropout": lambda: [nn.Dropout(0.5), nn.Linear(4, 2)],
    "nothing": list,
}


def compiled(path, dtype, n_out, compiler="gcc"):
    """The batch function of a C file."""
    library = str(path.with_suffix(f".{compiler}.so"))
    subprocess.run([compiler, *STRICT, "-O2", "-shared", "-fPIC", str(path), "-o", library, "-lm"], check=True)
    function = ctypes.CDLL(library).model_predict_batch
    pointer = np.ctypeslib.ndpointer(dtype, flags="C")
    function.argtypes, function.restype = [pointer, pointer, ctypes.c_size_t], None

    def predict(x):
        y = np.empty((len(x), n_out), dtype)
        function(np.ascontiguousarray(x, dtype), y, len(x))
        return y

    return predict


def exported(net, tmp_path, **options):
    path = tmp_path / "model.c"
    report = fastnn.export_c(net, path, **options)
    return path, report


@pytest.mark.parametrize("compiler", COMPILERS)
def test_products_and_piecewise_linear_activations_have_the_same_bits(compiler, tmp_path, dtype, rng):
    activations = nn.ReLU(), nn.LeakyReLU(0.1), nn.Hardtanh(), nn.ReLU6(), nn.PReLU()
    layers = [layer for act in activations for layer in (nn.Linear(7, 7), act)]
    net = nn.Sequential(*layers, nn.Residual(nn.Linear(7, 7), nn.ReLU()), nn.Linear(7, 3), seed=1, dtype=dtype)
    path, report = exported(net, tmp_path)
    x = draw(rng, (50, 7), dtype)
    assert_same_bits(compiled(path, dtype, 3, compiler)(x), net.predict(x))
    assert (report.largest_error, report.same_class) == (0.0, 1.0)
    assert report.constant_bytes == net.parameters().numel() * np.dtype(dtype).itemsize
    program = tmp_path / "a.out"
    subprocess.run([compiler, *STRICT, "-DMODEL_SELF_TEST", path, "-o", program, "-lm"], check=True)
    run = subprocess.run([program], capture_output=True, text=True)
    assert run.returncode == 0 and run.stdout.count("expected") == 3


def test_the_test_in_the_file_fails_where_the_network_is_wrong(tmp_path):
    path, _ = exported(nn.Sequential(nn.Linear(4, 2), seed=0), tmp_path)
    text = path.read_text()
    path.write_text(text.replace("P_FMA", "").replace("y[j] = b ? b[j] : 0;", "y[j] = b ? 2 * b[j] : 0;"))
    program = tmp_path / "a.out"
    subprocess.run(["gcc", *STRICT, "-DMODEL_SELF_TEST", path, "-o", program, "-lm"], check=True)
    assert subprocess.run([program], capture_output=True).returncode == 1


def test_every_function_of_a_program_has_an_expression(tmp_path, dtype, rng):
    """All of them in one network, beside each other."""
    from fastnn._core import dispatch

    kernels = {n for n, (_, g) in dispatch.PLACES.items() if g == "map1" and f"{n}_backward" in dispatch.PLACES}
    assert kernels <= set(EXPRESSIONS)
    params = {
        "softplus": (1.5, 20.0),
        "hardtanh": (-0.5, 1.0),
        "affine": (2.0, 0.5),
        "logit": (0.25, 1.0),
        "threshold": (0.5, 0.25),
    }
    branches = [
        Function(kernel, params.get(kernel, (0.75, 1.5)[: 1 + (kernel in params)])) for kernel in sorted(kernels)
    ]
    net = nn.Sequential(nn.Linear(3, 5), nn.Concat(*branches), seed=0, dtype=dtype)
    n_out = 5 * len(branches)
    path, _ = exported(net, tmp_path)
    x = np.concatenate([draw(rng, (40, 3), dtype), 8 * draw(rng, (40, 3), dtype)])
    close = {key: 10 * value for key, value in CLOSE[np.dtype(dtype).name].items()}
    np.testing.assert_allclose(compiled(path, dtype, n_out)(x), net.predict(x), **close)


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(name, tmp_path, dtype, rng):
    first = [] if name.startswith("Embedding") else [nn.Linear(4, 4)]
    net = nn.Sequential(*first, *LAYERS[name](), seed=0, dtype=dtype)
    x = draw(rng, (30, 4), dtype)
    if name.startswith("Embedding"):
        x = rng.integers(0, 5, (30, 4)).astype(dtype)
    net(x)  # moves running statistics
    trainer = fastnn.Trainer(net, nn.MSELoss(), fastnn.optim.SGD(net.parameters(), lr=0.01))
    trainer.step(x, np.zeros((30, net.predict(x).shape[1]), dtype))
    path, report = exported(net, tmp_path, samples=x)
    y = net.predict(x)
    np.testing.assert_allclose(compiled(path, dtype, y.shape[1])(x), y, **CLOSE[np.dtype(dtype).name])
    assert report.static_bytes >= 0


@pytest.mark.parametrize("name", CASES)
def test_traced_modules(name, tmp_path, rng):
    case = CASES[name]
    net = nn.Sequential(Traced(case), seed=3, dtype="float64")
    x = draw(rng, (20, case.features), "float64")
    path, _ = exported(net, tmp_path, samples=x)
    y = net.predict(x)
    np.testing.assert_allclose(compiled(path, "float64", y.shape[1])(x), y, rtol=1e-9, atol=1e-11)


def test_weights_of_8_bits(tmp_path, rng):
    x, y = fastnn.data.load_digits()
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), fastnn.optim.Adam(net.parameters(), lr=0.01))
    trainer.fit(x, y, epochs=10, batch_size=64, progress=False)
    path, report = exported(net, tmp_path, weights="int8", samples=x)
    found, right = compiled(path, "float32", 10)(x), net.predict(x)
    assert abs(np.abs(found - right).max() - report.largest_error) < 1e-3
    assert (found.argmax(1) == right.argmax(1)).mean() == report.same_class > 0.98
    weights = 64 * 32 + 32 * 10
    assert report.constant_bytes == weights + 4 * (42 + 42)  # scales and biases


def test_another_dtype(tmp_path, rng):
    net = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), seed=0)
    path, _ = exported(net, tmp_path, dtype="float64")
    x = draw(rng, (5, 4), "float64")
    np.testing.assert_allclose(compiled(path, "float64", 3)(x), net.predict(x.astype("float32")), rtol=1e-5, atol=1e-6)
    assert net.dtype == "float32"


def test_codes_that_are_none_give_nan(tmp_path):
    net = nn.Sequential(nn.Embedding(5, 3), seed=0)
    path, _ = exported(net, tmp_path, samples=np.zeros((1, 2)))
    y = compiled(path, "float32", 6)(np.array([[0, 5], [-1, 4]], "float32"))
    assert np.isnan(y).tolist() == [[False] * 3 + [True] * 3, [True] * 3 + [False] * 3]


class Python(nn.Module):
    def forward(self, x):
        return x

    def backward(self, grad_output):
        return grad_output


@pytest.mark.parametrize(
    ("net", "options", "error", "message"),
    [
        ("net", {}, TypeError, "net must be a network of fastnn.nn, got str"),
        (nn.Sequential(nn.Linear(2, 2)), {"name": "my model"}, ValueError, "name must be a name of C, got 'my model'"),
        (nn.Sequential(nn.Linear(2, 2)), {"weights": "int4"}, ValueError, "weights must be"),
        (nn.Sequential(nn.Linear(2, 2)), {"dtype": "float16"}, ValueError, "dtype must be"),
        (nn.Sequential(nn.ReLU()), {}, ValueError, "samples must be given"),
        (nn.Sequential(nn.ReLU()), {"samples": np.ones((0, 3))}, ValueError, "at least one row"),
        (nn.Sequential(nn.Linear(2, 2), Python()), {}, TypeError, "1 Python: python has no form in C"),
        (
            nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False)),
            {},
            ValueError,
            "1 BatchNorm1d normalizes by the statistics of a batch",
        ),
    ],
)
def test_what_cannot_be_written(net, options, error, message, tmp_path):
    path = tmp_path / "model.c"
    with pytest.raises(error, match=message):
        fastnn.export_c(net, path, **options)
    assert not path.exists()


@pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="no compiler for ARM microcontrollers")
def test_it_compiles_for_a_microcontroller(tmp_path):
    path, _ = exported(nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3), nn.Softmax(), seed=0), tmp_path)
    flags = [*STRICT, "-O2", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
    subprocess.run(["arm-none-eabi-gcc", *flags, "-c", path, "-o", tmp_path / "model.o"], check=True)


@pytest.mark.skipif(
    not (shutil.which("clang") and shutil.which("node") and shutil.which("wasm-ld")), reason="no clang, wasm-ld or node"
)
def test_it_runs_as_webassembly(tmp_path):
    net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1), seed=0)
    path, _ = exported(net, tmp_path)
    wasm, script = tmp_path / "model.wasm", tmp_path / "run.mjs"
    folder = os.path.join(os.path.dirname(__file__), "..", "..", "examples", "c")
    shutil.copy(os.path.join(folder, "run.mjs"), script)
    flags = ["--target=wasm32", "-O2", "-nostdlib", f"-I{folder}/wasm", "-Wl,--no-entry", "-Wl,--export=model_predict",
             "-Wl,--export=__heap_base", "-DMODEL_FMA(a,b,c)=((a)*(b)+(c))"]  # fmt: skip
    subprocess.run(["clang", *flags, path, "-o", wasm], check=True)
    run = subprocess.run(["node", script, wasm, "0.5", "-1.5"], capture_output=True, text=True, check=True)
    x = np.array([[0.5, -1.5]], "float32")
    np.testing.assert_allclose(float(run.stdout), net.predict(x)[0, 0], rtol=1e-5)
