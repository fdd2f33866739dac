"""Whole models as files: every layer comes back with its arguments and bits; what cannot be saved or read says so."""

import functools
import inspect
import os

import numpy as np
import pytest

import fastnn
from fastnn import nn
from fastnn.files import format as files
from fastnn.files.architecture import built_in
from fastnn.nn.arguments import arguments_of
from support.measure import assert_same_bits

FEATURES = 6
# Layers that cannot be made without arguments, and some with arguments that are not the default.
EXAMPLES = {
    "AlphaDropout": [lambda: nn.AlphaDropout(0.1)],
    "BatchNorm1d": [lambda: nn.BatchNorm1d(FEATURES, 0.1, None), lambda: nn.BatchNorm1d(FEATURES, frozen=True)],
    "CELU": [lambda: nn.CELU(2.0)],
    "Columns": [lambda: nn.Columns([2, 0]), lambda: nn.Columns(slice(1, None))],
    "Concat": [lambda: nn.Concat(nn.Sequential(), nn.Linear(FEATURES, 3), nn.Sequential(nn.Tanh(), nn.ReLU(), seed=1))],
    "Dropout": [lambda: nn.Dropout(0.1)],
    "Embedding": [
        lambda: nn.Embedding(7, 2, -1, seed=2),
        lambda: nn.Embedding(3, 2, 0, weight_init=nn.init.Normal(1.0, 2.0)),
    ],
    "GELU": [lambda: nn.GELU("tanh")],
    "Hardtanh": [lambda: nn.Hardtanh(-np.inf, 0.1)],
    "GaussianNoise": [lambda: nn.GaussianNoise(0.3)],
    "Heads": [lambda: nn.Heads(a=nn.Linear(FEATURES, 2), b=nn.Sequential(nn.Linear(FEATURES, 3), nn.Tanh()))],
    "LayerNorm": [lambda: nn.LayerNorm(FEATURES, 0.1, bias=False), lambda: nn.LayerNorm(FEATURES, affine=False)],
    "Linear": [lambda: nn.Linear(FEATURES, 4), lambda: nn.Linear(FEATURES, 4, False, seed=2**64 - 1)],
    "Maxout": [lambda: nn.Maxout(1)],
    "PReLU": [lambda: nn.PReLU(FEATURES, 0.1)],
    "RMSNorm": [lambda: nn.RMSNorm(FEATURES), lambda: nn.RMSNorm(FEATURES, 0.1, affine=False)],
    "Residual": [
        lambda: nn.Residual(nn.Linear(FEATURES, 2), nn.Tanh(), nn.Linear(2, 4), shortcut=nn.Linear(FEATURES, 4)),
        lambda: nn.Residual(nn.Sequential(nn.Residual(nn.Linear(FEATURES, FEATURES)), seed=3)),
    ],
    "Sequential": [lambda: nn.Sequential(nn.Linear(FEATURES, 2), nn.Sequential(nn.Tanh(), nn.Linear(2, 3)), seed=7)],
    "Softmax": [lambda: nn.Softmax(1, temperature=0.3)],
    "Softplus": [lambda: nn.Softplus(beta=2, threshold=np.float32(0.1))],
    "TabularInput": [lambda: nn.TabularInput([2, 0], {1: (3, 4), 3: (5, 1)}), lambda: nn.TabularInput([], {0: (3, 2)})],
    "Temperature": [lambda: nn.Temperature(0.5)],
}
LAYERS = built_in(nn, nn.Module)


class Scale(nn.Module):
    """A layer of somebody's own, with arguments of every kind that a file holds."""

    def __init__(self, factor, *extra, name="scale", pair=(1, 2.5), table=None, where=slice(1, None), **more):
        super().__init__()
        self.factor, self.pair, self.table, self.more = factor, pair, table, more
        self.add_parameter("factor", (1,), init=float(factor))
        self.add_buffer("seen", (1,)) if hasattr(self, "add_buffer") else None

    def forward(self, x):
        return self["factor"] * x

    def backward(self, grad_output):
        return self["factor"] * grad_output


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


def examples():
    for name, cls in LAYERS.items():
        makers = EXAMPLES.get(name, [])
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        if name != "Heads" and all(p.default is not p.empty or p.kind is p.VAR_KEYWORD for p in parameters):
            makers = [cls, *makers]
        assert makers, f"{name} needs an example in {__file__}"
        yield from (pytest.param(maker, id=f"{name}{i}") for i, maker in enumerate(makers))


def plain(value):
    """Arguments as something that can be compared."""
    if isinstance(value, nn.Module):
        return type(value), plain(value.config())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return plain(arguments_of(value)) if isinstance(value, tuple(built_in(nn.init, object).values())) else value


@pytest.mark.parametrize("maker", list(examples()))
def test_every_layer_comes_back(maker, dtype, path, rng):
    """With its class, its arguments, its values, its predictions; and it goes on to train as it would have done."""
    layer = maker()
    start = layer.in_features_hint() or FEATURES
    first = layer.in_features_hint() or isinstance(layer, (nn.Embedding, nn.TabularInput))  # which take codes
    layers = [] if first else [nn.Linear(start, FEATURES)]
    net = nn.Sequential(*layers, layer, seed=3, dtype=dtype)
    for array in (net.parameters().data, net.parameters().grad):
        array[...] = rng.random(array.shape)
    x = np.floor(3 * rng.random((8, start))).astype(dtype)
    net(x)
    net.save(path)
    twin = fastnn.load(path)
    assert plain(twin) == plain(net)
    assert (twin.seed, twin.dtype, repr(twin)) == (net.seed, net.dtype, repr(net))
    assert [(n, a.dtype) for n, a in net.state_dict().items()] == [(n, a.dtype) for n, a in twin.state_dict().items()]
    for name, array in net.state_dict().items():
        assert_same_bits(twin.state_dict()[name], array)
    assert_same_bits(twin.predict(x), net.predict(x))
    y = net(x)
    assert_same_bits(twin(x), y)
    grad = rng.random(y.shape).astype(dtype)
    assert_same_bits(twin.backward(grad), net.backward(grad))


def test_arguments_are_those_of_now(path):
    net = nn.Sequential(nn.Dropout(0.5), nn.LeakyReLU(0.1), seed=0)
    net[0].p, net[1].negative_slope = 0.25, 0.75
    net.save(path)
    twin = fastnn.load(path)
    assert (twin[0].p, twin[1].negative_slope) == (0.25, 0.75)


def test_a_layer_of_ones_own_is_told_or_registered(path, monkeypatch):
    table = np.array([[1.5, np.nan, -np.inf]], "float32")
    layer = Scale(np.float32(3), 4, [5, (6, None)], where=slice(2, 5), table=table, other=range(3), z={1: {"a": (2,)}})
    net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(layer), seed=0)
    net.save(path)
    with pytest.raises(fastnn.FileFormatError, match=r"layers=0?.*no layer class 'Scale' is known.*register_layer"):
        fastnn.load(path)
    for twin in (fastnn.load(path, layers={"Scale": Scale}), registered(monkeypatch, path)):
        config = twin[1][0].config()
        assert_same_bits(config.pop("table"), table)
        assert config == {
            "factor": 3.0, "extra": (4, [5, (6, None)]), "name": "scale", "pair": (1, 2.5), "where": slice(2, 5),
            "other": range(3), "z": {1: {"a": (2,)}},
        }  # fmt: skip
        assert twin["1.0.factor"] == 3
    with pytest.raises(TypeError, match=r"a layer class is a subclass of nn.Module, got"):
        fastnn.load(path, layers={"Scale": Scale(3)})
    with pytest.raises(TypeError, match="layers must be a dict"):
        fastnn.load(path, layers=[Scale])


def registered(monkeypatch, path):
    from fastnn.files import model

    monkeypatch.setattr(model, "_registered", {})
    assert fastnn.register_layer(Scale) is Scale
    assert fastnn.register_layer(Scale) is Scale
    with pytest.raises(ValueError, match=r"a layer class Scale is known already: test_models\.Scale"):
        fastnn.register_layer(type("Scale", (nn.Module,), {"__qualname__": "Another.Scale"}))
    with pytest.raises(ValueError, match=r"a layer class Tanh is known already: fastnn\.nn"):
        fastnn.register_layer(type("Tanh", (nn.Module,), {}))
    with pytest.raises(TypeError, match="a layer class is a subclass"):
        fastnn.register_layer(int)
    return fastnn.load(path)


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (lambda: Scale(1, table=object()), TypeError, r"net: .*Scale\(table=\): a file cannot hold object"),
        (lambda: Scale(1, pair=lambda x: x), TypeError, r"a file cannot hold function"),
        (lambda: type("Tanh", (nn.Tanh,), {})(), ValueError, "must not be named Tanh, as one of fastnn is"),
        (lambda: Forgetful(2), TypeError, r"Forgetful must keep its argument 'size' as an attribute, or define config"),
    ],
)
def test_what_a_file_cannot_hold(layer, error, message, path):
    path.write_bytes(b"old")
    with pytest.raises(error, match=message):
        nn.Sequential(layer(), seed=0).save(path)
    assert (path.read_bytes(), os.listdir(path.parent)) == (b"old", [path.name])


class Forgetful(nn.Module):
    """Was made behind the back of the constructor's record."""

    def __new__(cls, *args):
        return object.__new__(cls)

    def __init__(self, size):
        super().__init__()


def test_loading_draws_no_initial_values(path, monkeypatch):
    """An orthogonal matrix takes long to draw; the rules are those of the layers again afterwards."""
    slow = nn.init.Orthogonal(gain=2)
    net = nn.Sequential(nn.Linear(3, 4, weight_init=slow), nn.Sequential(nn.Linear(4, 2, bias_init="ones")), seed=0)
    net.save(path)
    monkeypatch.setattr(nn.init.Orthogonal, "__call__", functools.partial(pytest.fail, "drawn"))
    twin = fastnn.load(path)
    assert repr(twin[0]._inits) == repr(net[0]._inits)
    assert (repr(twin[0].weight_init), twin[1][0].bias_init) == (repr(slow), "ones")


def test_a_rule_of_ones_own_for_initial_values_is_left_out(path):
    net = nn.Sequential(nn.Linear(2, 2, weight_init=lambda shape, uniform: np.ones(shape)), seed=0)
    net.save(path)
    twin = fastnn.load(path)
    assert twin[0].weight_init is None and twin["0.weight"].tolist() == [[1, 1], [1, 1]]


def test_a_loaded_network_trains_on_with_the_masks_it_would_have_had(path, rng, dtype):
    x, y = rng.random((20, 3)).astype(dtype), rng.integers(0, 2, 20)
    net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2), seed=1, dtype=dtype)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), fastnn.optim.SGD(net.parameters(), lr=0.1))
    trainer.fit(x, y, epochs=3, batch_size=8)
    net.save(path)
    twin = fastnn.load(path)
    for network in (net, twin):
        optimizer = fastnn.optim.SGD(network.parameters(), lr=0.1)
        fastnn.Trainer(network, nn.CrossEntropyLoss(), optimizer).fit(x, y, epochs=2, seed=5)
    assert_same_bits(twin.parameters().data, net.parameters().data)


def test_the_same_network_makes_the_same_file(tmp_path):
    for name in "ab":
        nn.Sequential(nn.Linear(2, 3), nn.Tanh(), seed=0).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    nn.Sequential(seed=0).save(tmp_path / "a")
    assert len(fastnn.load(tmp_path / "a")) == 0


BAD_ARCHITECTURES = [
    ({"layer": "Linear", "arguments": {"in_features": 10**6, "out_features": 10**6}}, "1000001000000 parameters, but"),
    ({"layer": "Linear", "arguments": {"in_features": 10**400, "out_features": 3}}, "Linear cannot be made"),
    ({"layer": "Linear", "arguments": {"in_features": "3", "out_features": 3}}, "in_features must be an integer"),
    ({"layer": "Linear", "arguments": {}}, "Linear cannot be made"),
    ({"layer": "Linear"}, "Linear without arguments"),
    ({"layer": "Module", "arguments": {}}, "no layer class 'Module'"),
    ({"layer": "os", "arguments": {}}, "no layer class 'os' is known"),
    ({"layer": 3}, "not a layer"),
    ({"layer": "Tanh", "arguments": {"p": 3}}, "Tanh cannot be made"),
    ({"layer": "Dropout", "arguments": {"p": {"float": "nan"}}}, "p must be at least 0"),
    ({"layer": "Dropout", "arguments": {"p": {"float": "1"}}}, "nothing that fastnn writes"),
    ({"layer": "Dropout", "arguments": {"p": {"import": "os"}}}, "nothing that fastnn writes"),
    ({"layer": "Dropout", "arguments": {"p": {}}}, "nothing that fastnn writes"),
    ({"layer": "Dropout", "arguments": {"p": {"range": [1]}}}, "p must be a number, got range"),
    ({"layer": "Dropout", "arguments": {"p": {"slice": 3}}}, "nothing that fastnn writes"),
    ({"layer": "Dropout", "arguments": {"p": {"array": [1], "dtype": "f4", "shape": [10**9]}}}, "nothing that fastnn"),
    ({"layer": "Dropout", "arguments": {"p": {"array": [1]}}}, "nothing that fastnn writes"),
    ({"layer": "Dropout", "arguments": {"p": {"init": "Draw", "arguments": {}}}}, "nothing that fastnn|cannot be made"),
]


@pytest.mark.parametrize(("spec", "message"), BAD_ARCHITECTURES)
def test_a_forged_architecture_is_refused(spec, message, path):
    """Its hash is right, and it may ask for what it likes: no class but a layer's is found, no memory is taken."""
    net = {"layer": "Sequential", "arguments": {"layers": [spec], "seed": 0, "dtype": "float32"}}
    files.write(path, "model", {"0.weight": np.zeros((3, 3), "float32")}, {"architecture": net, "tick": 0})
    with pytest.raises(fastnn.FileFormatError, match=message):
        fastnn.load(path)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({}, "architecture: not a layer: None"),
        ({"architecture": {"layer": "Tanh", "arguments": {}}}, "a Tanh, not a Sequential"),
        ({"architecture": {"layer": "Sequential", "arguments": {}}}, r"unexpected \['0.weight'\]"),
        ({"architecture": {"layer": "Sequential", "arguments": {"seed": -1}}}, "seed must be at least 0"),
        ({"architecture": {"layer": "Sequential", "arguments": {"dtype": "int8"}}}, "dtype must be one of"),
    ],
)
def test_a_forged_description_is_refused(description, message, path):
    files.write(path, "model", {"0.weight": np.zeros((3, 3), "float32")}, description)
    with pytest.raises(fastnn.FileFormatError, match=message):
        fastnn.load(path)
    files.write(path, "model", {}, {"architecture": {"layer": "Sequential", "arguments": {}}, "tick": -1})
    with pytest.raises(fastnn.FileFormatError, match="tick must be a count"):
        fastnn.load(path)


def test_values_of_another_dtype_or_shape_are_refused(path):
    net = nn.Sequential(nn.Linear(3, 3, bias=False), seed=0)
    net.save(path)
    _, content = files.read(path, "model")
    for weight, message in ((np.zeros((3, 3)), "0.weight is float64"), (np.zeros((9, 1), "f"), "0.weight has shape")):
        files.write(path, "model", {"0.weight": weight}, {key: content[key] for key in ("architecture", "tick")})
        with pytest.raises(fastnn.FileFormatError, match=message):
            fastnn.load(path)


def test_a_state_that_fits_in_part_is_taken_over_in_part():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1), seed=0)
    state = {"0.bias": np.ones(3, "float32"), "7.bias": np.ones(1, "float32")}
    keys = net.load_state_dict(state, strict=False)
    assert keys == (["0.weight", "1.weight", "1.bias"], ["7.bias"])
    assert keys.missing_keys[0] == "0.weight" and net["0.bias"].tolist() == [1, 1, 1]
    assert net.load_state_dict(net.state_dict()) == ([], [])
    before = net.parameters().data.copy()
    with pytest.raises(ValueError, match=r"missing \['1.bias'\]; unexpected \['x'\]; 0.bias has shape \(2,\)"):
        net.load_state_dict(
            {"0.weight": net["0.weight"] + 1, "0.bias": np.ones(2), "1.weight": net["1.weight"], "x": 1}
        )
    assert_same_bits(net.parameters().data, before)


# Nothing is written that cannot be read back


def test_initial_values_are_in_the_tensors_and_nowhere_else(path):
    """An array of them, number by number in the header, made files that were too long to be read."""
    table = np.random.default_rng(0).random((300, 200))
    layers = [
        lambda: nn.Linear(300, 200, weight_init=table, bias_init=np.arange(200.0)),
        lambda: nn.Linear(300, 200, weight_init=table.tolist()),
        lambda: nn.Embedding(300, 200, weight_init=table.astype("float32")),
        lambda: nn.Embedding(300, 200, 3, weight_init=table),
    ]
    for make in layers:
        net = nn.Sequential(nn.Sequential(make()), seed=0)
        net.save(path)
        assert os.path.getsize(path) < net.parameters().numel() * 4 + 2000
        assert_same_bits(fastnn.load(path).parameters().data, net.parameters().data)
        trainer = fastnn.Trainer(net, nn.MSELoss(), fastnn.optim.SGD(net.parameters(), lr=0.1))
        trainer.save_checkpoint(path)
        trainer.load_checkpoint(path)
        assert os.path.getsize(path) < net.parameters().numel() * 4 + 4000


def test_a_large_layer_with_an_array_comes_back(path):
    net = nn.Sequential(nn.Linear(950, 950, weight_init=np.ones((950, 950))), seed=0)
    net.save(path)
    assert_same_bits(fastnn.load(path).parameters().data, net.parameters().data)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int8", "uint64", "bool", ">f4", ">i2"])
def test_arrays_among_arguments_are_tensors(dtype, path):
    table = (np.arange(10**5).reshape(2, -1) % 100).astype(dtype)
    layers = [Scale(1, table=table, z=(table, [table[::-1]])), nn.Sequential(Scale(2, table=table[:, :0]))]
    net = nn.Sequential(*layers, seed=0)
    net.save(path)
    assert os.path.getsize(path) < 4 * table.nbytes
    twin = fastnn.load(path, layers={"Scale": Scale})
    assert_same_bits(twin[0].config()["table"], table.astype(table.dtype.newbyteorder("=")))
    assert twin[0].config()["z"][1][0].tolist() == table[::-1].tolist()
    assert twin[1][0].config()["table"].shape == (2, 0)
    assert list(twin.state_dict()) == list(net.state_dict())


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (["x" * 100] * 2 * 10**5, ValueError, "takes .* bytes, of at most 16777216: keep many numbers in arrays"),
        (range(10**7), TypeError, "cannot hold range"),
        (np.zeros(2, "c8"), TypeError, "cannot hold ndarray"),
        (np.zeros(2, "datetime64[s]"), TypeError, "cannot hold ndarray"),
        (np.zeros(2, "longdouble"), TypeError, "cannot hold ndarray"),
        (np.longdouble(1), TypeError, "cannot hold longdouble"),
        (np.array(["a"]), TypeError, "cannot hold ndarray"),
        (1j, TypeError, "cannot hold complex"),
        (b"x", TypeError, "cannot hold bytes"),
        (functools.reduce(lambda inner, _: [inner], range(250), 1), ValueError, "nested deeper than 200 levels"),
        (functools.reduce(lambda inner, _: [inner], range(2000), 1), ValueError, "nested too deep"),
    ],
    ids=[str(i) for i in range(11)],
)
def test_what_could_not_be_read_back_is_not_written(value, error, message, path):
    path.write_bytes(b"old")
    with pytest.raises(error, match=message):
        nn.Sequential(Scale(1, z=value), seed=0).save(path)
    assert (path.read_bytes(), os.listdir(path.parent)) == (b"old", [path.name])


@pytest.mark.parametrize(
    "value", [range(10**6), range(5, -5, -2), slice(None, 2**70), 2**200, float("nan"), np.str_("ä\ud800"), "x" * 10**6,
              {(1, "a"): {None: True}}, np.int8(3), np.bool_(True), [[]] * 10**5]
)  # fmt: skip
def test_what_can_be_written_can_be_read_back(value, path):
    nn.Sequential(Scale(1, z=value), seed=0).save(path)
    again = fastnn.load(path, layers={"Scale": Scale})[0].config()["z"]
    assert again == value or (again != again and value != value)
