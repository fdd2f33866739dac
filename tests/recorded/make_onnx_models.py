"""Makes onnx/*.onnx and onnx/outputs.npz: models by other exporters, with inputs and outputs for tests/onnx/.

    python tests/recorded/make_onnx_models.py

Versions: PyTorch 2.13 (both exporters; the later one needs onnxscript), Keras 3.15 on PyTorch, skl2onnx 1.20 with
scikit-learn 1.9. Outputs are those of the library that made the model, in its own arithmetic.
"""

import os
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import onnx
import torch
from skl2onnx import to_onnx
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from torch import nn

FOLDER = Path(__file__).parent / "onnx"
RNG = np.random.default_rng(11)
OUTPUTS = {}


class Zoo(nn.Module):
    """Every activation, with a linear layer before each."""

    def __init__(self):
        super().__init__()
        activations = [
            nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.Mish(), nn.Hardswish(), nn.Hardsigmoid(), nn.ELU(0.7), nn.SELU(),
            nn.CELU(0.7), nn.Softplus(), nn.Softplus(2.0), nn.Softsign(), nn.LeakyReLU(0.1), nn.PReLU(), nn.PReLU(5),
            nn.ReLU6(), nn.Hardtanh(-0.5, 0.7), nn.Tanh(), nn.Sigmoid(), nn.ReLU(), nn.LogSoftmax(-1),
        ]  # fmt: skip
        self.layers = nn.ModuleList(nn.Linear(5, 5) for _ in activations)
        self.activations = nn.ModuleList(activations)

    def forward(self, x):
        for layer, activation in zip(self.layers, self.activations, strict=True):
            x = x + activation(layer(x))
        return x


class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 6, bias=False), nn.Linear(6, 6), nn.Linear(6, 3)
        self.batch, self.layer, self.scale = nn.BatchNorm1d(6), nn.LayerNorm(6), nn.Parameter(torch.rand(6))
        self.drop = nn.Dropout(0.3)

    def forward(self, x):
        x = torch.relu(self.batch(self.a(x)))
        x = self.drop(self.layer(self.b(x)))
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.scale
        return torch.softmax(self.c(x) / 2.5, -1)


class Wiring(nn.Module):
    """Sums, products, halves, dense connections and a gate."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(8, 4), nn.Linear(12, 6)
        self.gate, self.out = nn.Linear(6, 12), nn.Linear(6, 2)

    def forward(self, x):
        one = torch.tanh(self.a(x))
        two = torch.relu(self.b(torch.cat([x, one], 1)))
        three = self.c(torch.cat([x, one, two], 1))
        left, right = self.gate(three).chunk(2, -1)
        gated = left * torch.sigmoid(right) + three * 0.5 - 1.0
        return self.out(gated * torch.tanh(three) + torch.index_select(gated, 1, torch.tensor([2, 1, 0, 3, 4, 5])))


class SwiGLU(nn.Module):
    def __init__(self):
        super().__init__()
        self.w1, self.w2, self.w3 = nn.Linear(4, 8), nn.Linear(8, 4), nn.Linear(4, 8)

    def forward(self, x):
        return x + self.w2(nn.functional.silu(self.w1(x)) * self.w3(x))


class View(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(16, 6), nn.Linear(6, 1)

    def forward(self, x):
        return self.b(torch.relu(self.a(x.view(x.size(0), -1)))).squeeze(-1)


class Table(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared, self.own, self.out = nn.Embedding(7, 3), nn.Embedding(5, 2), nn.Linear(10, 2)

    def forward(self, numbers, codes):
        rows = [numbers, self.shared(codes[:, :2]).flatten(1), self.own(codes[:, 2])]
        return self.out(torch.cat(rows, 1))


def numbers(*shape):
    return RNG.normal(size=shape).astype("float32")


TORCH = {
    "mlp": (lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)), [numbers(6, 4)]),
    "mlp64": (lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)).double(), [RNG.normal(size=(6, 4))]),
    "zoo": (Zoo, [numbers(6, 5)]),
    "norms": (Norms, [numbers(6, 4)]),
    "rms": (lambda: nn.Sequential(nn.Linear(4, 6), nn.RMSNorm(6), nn.Linear(6, 2)), [numbers(6, 4)]),
    "wiring": (Wiring, [numbers(6, 4)]),
    "swiglu": (SwiGLU, [numbers(6, 4)]),
    "flatten": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), [numbers(6, 1, 4, 4)]),
    "view": (View, [numbers(6, 1, 4, 4)]),
    "table": (Table, [numbers(6, 2), RNG.integers(0, 5, (6, 3))]),
    "sequence": (
        lambda: nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 2)),
        [numbers(6, 5, 4)],
    ),
}


def keep(name, inputs, outputs):
    for i, x in enumerate(inputs):
        OUTPUTS[f"{name}/x{i}"] = x
    OUTPUTS[f"{name}/y"] = outputs


def slim(path):
    """Leave out the documentation of nodes, which has the paths of the exporting machine."""
    model = onnx.load(path)
    for node in model.graph.node:
        node.ClearField("doc_string")
        node.ClearField("metadata_props")
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer):
        value.ClearField("doc_string")
        value.ClearField("metadata_props")
    model.graph.ClearField("metadata_props")
    onnx.save(model, path)


def record_torch():
    for name, (make, inputs) in TORCH.items():
        torch.manual_seed(3)
        net = make()
        for module in net.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.running_mean.uniform_(-1, 1), module.running_var.uniform_(0.5, 2)
            if isinstance(module, (nn.LayerNorm, nn.RMSNorm, nn.BatchNorm1d)):
                nn.init.uniform_(module.weight, 0.5, 2)
        net.eval()
        args = tuple(torch.from_numpy(x) for x in inputs)
        y = net(*args).detach().numpy()
        names, dims = [f"x{i}" for i in range(len(inputs))], {0: torch.export.Dim("batch")}
        for kind, options in {
            "script": {"dynamo": False, "opset_version": 13, "dynamic_axes": {n: {0: "batch"} for n in names}},
            "script17": {"dynamo": False, "opset_version": 17, "dynamic_axes": {n: {0: "batch"} for n in names}},
            "dynamo": {"dynamo": True, "opset_version": 18, "dynamic_shapes": tuple(dims for _ in names)},
            "dynamo23": {"dynamo": True, "opset_version": 23, "dynamic_shapes": tuple(dims for _ in names)},
        }.items():
            path = FOLDER / f"torch_{name}_{kind}.onnx"
            try:
                torch.onnx.export(net, args, path, input_names=names, external_data=False, verbose=False, **options)
            except torch.onnx.errors.UnsupportedOperatorError as error:
                print(name, kind, error)
                continue
            slim(path)
            keep(path.stem, inputs, y)


def record_keras():
    keras.utils.set_random_seed(5)
    layers = keras.layers
    x = numbers(6, 4)
    chain = keras.Sequential([
        layers.Input((4,)), layers.Dense(8, "gelu"), layers.BatchNormalization(), layers.Dense(8, "silu"),
        layers.Dropout(0.2), layers.Dense(8, "elu"), layers.Dense(3, "softmax"),
    ])  # fmt: skip
    chain.compile(loss="mse")
    chain.fit(x, numbers(6, 3), epochs=3, verbose=0)
    start = layers.Input((4,))
    one = layers.Dense(8, "relu")(start)
    two = layers.Add()([layers.Dense(8, "tanh")(one), one])
    three = layers.Concatenate()([two, layers.Multiply()([one, two]), start])
    functional = keras.Model(start, layers.Dense(2)(three))
    for name, model in {"chain": chain, "functional": functional}.items():
        path, y = FOLDER / f"keras_{name}.onnx", np.asarray(model.predict(x, verbose=0))
        model.export(path, format="onnx", verbose=False)
        slim(path)
        keep(path.stem, [x], y)


def record_sklearn():
    x, z = numbers(40, 4), 3 * numbers(40, 4) + 1
    target = x @ np.array([1.0, -2.0, 0.5, 0.0], "float32")
    two, three = (target > 0).astype(int), np.digitize(target, [-1, 1])
    options = {"random_state": 0, "max_iter": 30}
    models = {
        "classifier": (make_pipeline(StandardScaler(), MLPClassifier(hidden_layer_sizes=(6, 5), **options)), z, three),
        "binary": (
            make_pipeline(MinMaxScaler(), MLPClassifier(hidden_layer_sizes=(6,), activation="tanh", **options)),
            z,
            two,
        ),
        "regressor": (
            make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(6,), activation="logistic", **options)),
            z,
            target,
        ),
        "logistic": (make_pipeline(StandardScaler(), LogisticRegression()), z, three),
        "linear": (LinearRegression(), x, target),
    }
    for name, (model, data, y) in models.items():
        model.fit(data, y)
        data = data[:6]
        wanted = model.predict_proba(data) if hasattr(model, "predict_proba") else model.predict(data).reshape(-1, 1)
        for kind, zipmap in (("", False), ("_zipmap", True)) if hasattr(model, "predict_proba") else (("", None),):
            made = to_onnx(model, data[:1], options=None if zipmap is None else {"zipmap": zipmap}, target_opset=18)
            path = FOLDER / f"sklearn_{name}{kind}.onnx"
            path.write_bytes(made.SerializeToString())
            keep(path.stem, [data], wanted)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    warnings.simplefilter("ignore")
    record_torch()
    record_keras()
    record_sklearn()
    np.savez_compressed(FOLDER / "outputs.npz", **OUTPUTS)
