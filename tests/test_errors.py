"""Wrong arguments: the right type of error, a message that says what came, and a network as it was before."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

import fastnn
from fastnn import data, nn, optim
from fastnn import functional as F

ROWS = 6


class Case:
    """A call that must fail, the error it must raise and a part of its message."""

    def __init__(self, call, error, message):
        self.call, self.error, self.message = call, error, message

    def __str__(self):
        return re.sub(r"[^a-z0-9]+", "_", self.message.lower()).strip("_")[:60]


def value(call, message):
    return Case(call, ValueError, message)


def type_(call, message):
    return Case(call, TypeError, message)


@pytest.fixture
def world():
    """A small network that has trained, with all that a call could need."""
    return make_world()


def make_world(seed=0):
    net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 3), seed=seed)
    w = SimpleNamespace(net=net, optimizer=optim.Adam(net.parameters()))
    w.trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), w.optimizer)
    w.regression = fastnn.Trainer(net, nn.MSELoss(), w.optimizer)
    rng = np.random.default_rng(0)
    w.x = rng.standard_normal((ROWS, 4)).astype("float32")
    w.y = rng.integers(0, 3, ROWS)
    w.targets = rng.standard_normal((ROWS, 3)).astype("float32")
    w.trainer.step(w.x, w.y)
    return w


def with_label(w, row, label):
    y = w.y.copy()
    y[row] = label
    return y


def fit(**arguments):
    return lambda w: w.trainer.fit(w.x, w.y, **arguments)


def step(**arguments):
    return lambda w: w.trainer.step(w.x, w.y, **arguments)


def linear(w, **arguments):
    return F.linear(**({"x": w.x, "weight": w.net["0.weight"], "bias": w.net["0.bias"]} | arguments))


def adam_step(w, **arguments):
    arrays = {name: np.zeros(4) for name in ("param", "grad", "exp_avg", "exp_avg_sq")}
    return optim.functional.adam_step(**(arrays | {"step": 1} | arguments))


def read_only(n):
    array = np.zeros(n)
    array.flags.writeable = False
    return array


MODULES = [
    type_(lambda w: nn.Sequential(nn.Linear(2, 3), nn.ReLU), "layer 1 must be a Module, got type: write ReLU()"),
    type_(lambda w: nn.Sequential(nn.Linear(2, 3), np.tanh), "layer 1 must be a Module, got ufunc"),
    type_(lambda w: nn.Sequential([nn.Linear(2, 3)]), "layer 0 must be a Module, got list"),
    value(lambda w: nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(4, 1)), "takes 4 features but gets 3"),
    value(lambda w: nn.Sequential(*[nn.Linear(2, 2)] * 2), "layer 1 is layer 0 again"),
    value(lambda w: nn.Sequential(w.net.layers[0]), "is part of another network already"),
    value(lambda w: nn.Sequential(nn.ReLU(), seed=-1), "seed must be at least 0, got -1"),
    value(lambda w: nn.Sequential(nn.ReLU(), seed=2**64), f"seed must be at most {2**64 - 1}, got {2**64}"),
    type_(lambda w: nn.Sequential(nn.ReLU(), seed=0.5), "seed must be an integer, got float"),
    type_(lambda w: nn.Sequential(nn.ReLU(), seed="0"), "seed must be an integer, got str"),
    value(
        lambda w: nn.Sequential(nn.ReLU(), dtype="float16"), "dtype must be one of 'float32', 'float64', got 'float16'"
    ),
    value(lambda w: nn.Sequential(nn.ReLU(), dtype="int32"), "dtype must be one of 'float32', 'float64', got 'int32'"),
    value(lambda w: nn.Sequential(nn.ReLU(), dtype="nonsense"), "dtype must be one of 'float32', 'float64'"),
    value(lambda w: nn.Linear(-1, 2), "in_features must be at least 0, got -1"),
    value(lambda w: nn.Linear(2, 0), "out_features must be at least 1, got 0"),
    type_(lambda w: nn.Linear(2.0, 3), "in_features must be an integer, got float"),
    type_(lambda w: nn.Linear(2, True), "out_features must be an integer, got bool"),
    value(lambda w: nn.Dropout(2), "p must be at least 0.0 and at most 1.0, got 2"),
    value(lambda w: nn.Dropout(float("nan")), "p must be at least 0.0 and at most 1.0, got nan"),
    type_(lambda w: nn.Dropout("0.5"), "p must be a number, got str"),
    value(lambda w: nn.Softmax(temperature=0), "temperature must be greater than 0.0, got 0"),
    value(lambda w: nn.Sequential(nn.LogSoftmax(dim=0)), "dim must be -1 or 1 in a network, got 0"),
    value(lambda w: nn.GELU("sigmoid"), "approximate must be one of 'none', 'tanh', got 'sigmoid'"),
    value(lambda w: nn.Hardtanh(1, -1), "max_val must be greater than min_val"),
    value(lambda w: nn.CELU(0), "alpha must not be 0"),
    value(lambda w: nn.Softplus(beta=0), "beta must not be 0"),
    type_(lambda w: nn.LeakyReLU("0.1"), "negative_slope must be a number, got str"),
    type_(lambda w: nn.ELU(1j), "alpha must be a number, got complex"),
    value(lambda w: nn.MSELoss("average"), "reduction must be one of 'mean', 'sum', 'none', got 'average'"),
    value(lambda w: nn.CrossEntropyLoss(label_smoothing=1.1), "label_smoothing must be at least 0.0 and at most 1.0"),
    value(lambda w: nn.HuberLoss(delta=0), "delta must be greater than 0.0, got 0"),
    value(lambda w: nn.SmoothL1Loss(beta=-1), "beta must be at least 0.0, got -1"),
    value(lambda w: nn.MSELoss("batchmean"), "reduction must be one of 'mean', 'sum', 'none', got 'batchmean'"),
    value(lambda w: nn.CrossEntropyLoss(weight=[1, -1, 1]), "weight must be 0 or more and finite, got a negative"),
    value(lambda w: nn.NLLLoss(weight=[1, np.nan, 1]), "weight must be 0 or more and finite"),
    value(lambda w: nn.CrossEntropyLoss(weight=np.ones((3, 1))), "weight must have shape (classes,), got (3, 1)"),
    type_(lambda w: nn.CrossEntropyLoss(ignore_index=0.5), "ignore_index must be an integer, got float"),
    value(lambda w: nn.BCEWithLogitsLoss(pos_weight=-1), "pos_weight must be at least 0.0"),
    value(lambda w: nn.BCEWithLogitsLoss(pos_weight=[1, np.nan]), "pos_weight[1] must be at least 0.0"),
    value(lambda w: nn.QuantileLoss(q=(0.5, 1.0)), "q[1] must be greater than 0.0 and less than 1.0, got 1.0"),
    type_(lambda w: nn.QuantileLoss(q="0.5"), "q must be"),
    value(lambda w: nn.FocalLoss(gamma=-1), "gamma must be at least 0.0, got -1"),
    value(lambda w: nn.MultiMarginLoss(p=3), "p must be at most 2, got 3"),
    type_(lambda w: nn.HingeLoss(squared=1), "squared must be True or False, got int"),
    value(lambda w: nn.GaussianNLLLoss(eps=0), "eps must be greater than 0.0, got 0"),
]

RUNNING = [
    value(lambda w: w.net(w.x[:, :3]), "Linear: x has 3 features, this layer takes 4"),
    value(lambda w: w.net.predict(w.x[0, :3]), "Linear: x has 3 features, this layer takes 4"),
    value(lambda w: w.net.layers[0](w.x[:, :3]), "x has 3 features, this layer takes 4"),
    value(lambda w: w.net(np.full((6, 4), 1e300)), "x[0, 0] is 1e+300, too large for float32"),
    type_(lambda w: w.net(w.x.astype("complex64")), "x must be float32 or float64, got complex64"),
    type_(lambda w: w.net(w.x.astype("longdouble")), "x must be of at most 64 bits, got"),
    type_(lambda w: w.net(w.x.astype(">f4")), "x must be in native byte order"),
    type_(lambda w: w.net("text"), "x must be float32 or float64, got <U4"),
    type_(lambda w: w.net(object()), "x must be an array of numbers, got object"),
    type_(lambda w: w.net([[1.0], [1.0, 2.0]]), "x must be an array, got list"),
    value(lambda w: w.net(np.float32(1)), "x must have shape (..., features), got a scalar"),
    value(lambda w: w.net.compile(0), "batch_size must be at least 1, got 0"),
    value(lambda w: nn.Sequential(nn.ReLU()).compile(3), "in_features must be given"),
    value(lambda w: nn.Sequential(nn.ReLU()).compile(3, in_features=-3), "in_features must be at least"),
    Case(lambda w: make_world().net.backward(w.targets), RuntimeError, "backward needs a call of the network"),
    value(lambda w: (w.net(w.x), w.net.backward(w.targets[:2])), "grad_output must have shape (6, 3) like the output"),
    type_(lambda w: (w.net(w.x), w.net.backward(w.targets.astype("d"))), "grad_output is float64 but the network"),
    value(lambda w: w.net.load_state_dict({}), "state does not fit this network: missing ['0.weight', '0.bias'"),
    value(
        lambda w: w.net.load_state_dict(w.net.state_dict() | {"0.bias": w.x}),
        "0.bias has shape (6, 4), in this network (5,)",
    ),
    type_(lambda w: w.net.load_state_dict(w.net.state_dict() | {"0.bias": np.zeros(5)}), "0.bias is float64"),
    Case(lambda w: w.net["1.weight"], KeyError, "no parameter '1.weight'; there are 0.weight, 0.bias"),
]


def step_with(w, loss, y=None):
    """A step of a trainer with another loss; y is the target, or the label of row 2."""
    target = w.y if isinstance(loss, nn.CrossEntropyLoss) else w.targets if y is None else y
    fastnn.Trainer(w.net, loss, w.optimizer).step(w.x, with_label(w, 2, y) if isinstance(y, int) else target)


TRAINING = [
    type_(lambda w: fastnn.Trainer([nn.Linear(4, 3)], nn.MSELoss(), w.optimizer), "net must be a Sequential, got list"),
    type_(lambda w: fastnn.Trainer(w.net, nn.MSELoss, w.optimizer), "loss must be an object, not the class: write MSE"),
    type_(lambda w: fastnn.Trainer(w.net, "mse", w.optimizer), "loss must be a loss of fastnn.nn or a function"),
    value(lambda w: fastnn.Trainer(w.net, nn.MSELoss("none"), w.optimizer), 'reduction must be "mean" or "sum"'),
    type_(lambda w: fastnn.Trainer(w.net, nn.MSELoss(), optim.Adam), "optimizer must be an optimizer of fastnn.optim"),
    value(
        lambda w: fastnn.Trainer(w.net, nn.MSELoss(), optim.SGD(make_world().net.parameters())),
        "optimizer must be made from this network",
    ),
    value(lambda w: w.trainer.step(w.x[:, :2], w.y), "Linear: x has 2 features, this layer takes 4"),
    value(lambda w: w.trainer.step(w.x * np.float64(1e300), w.y), ", too large for float32, whose largest number is"),
    value(lambda w: w.trainer.step(w.x[:0], w.y[:0]), "x must have at least one row"),
    value(lambda w: w.trainer.step(np.float32(1), w.y), "got a scalar"),
    value(lambda w: w.trainer.step(w.x, with_label(w, 2, 3)), "y[2] is 3: class indices must be between 0 and 2"),
    value(lambda w: w.trainer.step(w.x, with_label(w, 5, -1)), "y[5] is -1: class indices must be between 0 and 2"),
    value(lambda w: w.trainer.evaluate(w.x, with_label(w, 5, 9), batch_size=2), "y[5] is 9: class indices"),
    value(lambda w: w.trainer.fit(w.x, with_label(w, 5, 9)), "y[5] is 9: class indices"),
    value(
        lambda w: step_with(w, nn.CrossEntropyLoss(weight=[1, 2])), "weight must have shape (3,) one a class, got (2,)"
    ),
    value(lambda w: step_with(w, nn.CrossEntropyLoss(ignore_index=-5), -1), "y[2] is -1: class indices must be"),
    value(
        lambda w: step_with(w, nn.BCEWithLogitsLoss(pos_weight=[1, 2])), "pos_weight must have shape (3,) one an output"
    ),
    value(lambda w: step_with(w, nn.QuantileLoss(q=[0.1, 0.9])), "q must have shape (3,) one an output, got (2,)"),
    value(lambda w: step_with(w, nn.GaussianNLLLoss()), "GaussianNLLLoss takes a mean and a variance for each target"),
    type_(lambda w: step_with(w, nn.MultiMarginLoss(), w.targets), "y must be integer class indices of shape (6,)"),
    type_(lambda w: step_with(w, lambda y, t: 1.0), "loss: the function must return (value, gradient), got float"),
    type_(lambda w: step_with(w, lambda y, t: ("a", y)), "loss: the value must be a number, or one for each of 6 rows"),
    type_(lambda w: step_with(w, lambda y, t: (None, y)), "loss: the value must be a number, or one for each of 6"),
    type_(lambda w: step_with(w, lambda y, t: (np.ones(5), y)), "got float64 of shape (5,)"),
    value(lambda w: step_with(w, lambda y, t: (1.0, y[:2])), "loss: the gradient must have shape (6, 3), got (2, 3)"),
    type_(lambda w: step_with(w, lambda y, t: (1.0, None)), "loss: the gradient must be an array of real numbers"),
    type_(lambda w: step_with(w, lambda y, t: (1.0, y * 1j)), "loss: the gradient must be an array of real numbers"),
    value(lambda w: w.trainer.step(w.x, w.y[:4]), "y must have shape (6,) for 6 samples, got (4,)"),
    value(lambda w: w.trainer.step(w.x, w.y + 0.5), "y[0] is 0.5: class indices must be whole numbers"),
    value(lambda w: w.trainer.step(w.x, w.y * np.nan), "y[0] is nan: class indices must be whole numbers"),
    value(lambda w: w.trainer.step(w.x, w.targets[:, :2]), "y must have shape (6, 3)"),
    type_(lambda w: w.trainer.step(w.x, None), "y must be an array of numbers, got NoneType"),
    type_(lambda w: w.trainer.step(w.x, ["a"] * ROWS), "y must be"),
    value(lambda w: w.regression.step(w.x, w.targets[:, 0]), "y must have shape (6, 3) for 6 samples and 3 outputs"),
    type_(lambda w: w.regression.step(w.x, w.targets.astype("complex64")), "y must be float32 or float64"),
    value(step(sample_weight=-np.ones(ROWS)), "sample_weight must be 0 or more"),
    value(step(sample_weight=np.full(ROWS, np.nan)), "sample_weight must be 0 or more"),
    value(step(sample_weight=np.ones(3)), "sample_weight must have shape (6,) one a sample, got (3,)"),
    type_(step(sample_weight=np.ones(ROWS) * 1j), "sample_weight must be"),
    type_(step(sample_weight=["a"] * ROWS), "sample_weight must be"),
    value(fit(epochs=-1), "epochs must be at least 0, got -1"),
    type_(fit(epochs=1.5), "epochs must be an integer, got float"),
    value(fit(batch_size=0), "batch_size must be at least 1, got 0"),
    type_(fit(batch_size="32"), "batch_size must be an integer, got str"),
    value(fit(seed=-1), "seed must be at least 0, got -1"),
    value(fit(validation_split=1.0), "validation_split must be at least 0.0 and less than 1.0, got 1.0"),
    value(fit(validation_split=-0.1), "validation_split must be at least 0.0 and less than 1.0"),
    value(fit(validation_split=0.95), "validation_split=0.95 leaves no sample of 6 to train on"),
    value(lambda w: w.trainer.fit(w.x[:0], w.y[:0]), "x must have at least one row"),
    value(lambda w: fit(validation_data=(w.x, w.y), validation_split=0.5)(w), "validation_data or validation_split"),
    type_(lambda w: fit(validation_data=w.x)(w), "validation_data must be (x, y) or (x, y, sample_weight), got"),
    value(lambda w: fit(validation_data=(w.x, w.y[:2]))(w), "y must have shape (6,) for 6 samples"),
    value(fit(progress="yes"), "progress must be True, False or 'auto', got 'yes'"),
    value(lambda w: w.trainer.evaluate(w.x, w.y, batch_size=0), "batch_size must be at least 1, got 0"),
    value(lambda w: optim.Adam(w.net.parameters(), lr=-1), "lr must be at least 0.0, got -1"),
    value(lambda w: optim.Adam(w.net.parameters(), lr=10**400), "lr is too large for a float"),
    type_(lambda w: optim.Adam(w.net.parameters(), lr="1"), "lr must be a number, got str"),
    type_(lambda w: optim.Adam(w.net.parameters(), lr=np.complex128(1j)), "lr must be a number, got complex128"),
    type_(lambda w: optim.Adam(w.net.parameters(), betas=0.9), "betas must be a pair of numbers, got 0.9"),
    type_(lambda w: optim.Adam(list(w.net.named_parameters())), "params must be net.parameters(), got list"),
    value(lambda w: optim.SGD(w.net.parameters(), nesterov=True), "nesterov needs momentum above 0"),
]

FUNCTIONS = [
    type_(lambda w: F.relu(w.x.astype("float16")), "x must be float32 or float64, got float16"),
    type_(lambda w: F.relu(None), "x must be an array of numbers, got NoneType"),
    type_(lambda w: F.relu(w.x, out=w.x.astype("d")), "out must be float32, got float64"),
    value(lambda w: F.relu(w.x, out=w.x[:2].copy()), "out must have shape (6, 4), got (2, 4)"),
    type_(lambda w: F.relu(w.x, out=[0.0]), "out must be an ndarray, got list"),
    type_(lambda w: F.tanh_backward(w.x, w.x.astype("d")), "output is float64 but grad_output is float32"),
    value(lambda w: F.softmax(w.x, temperature=0), "temperature must be greater than 0.0, got 0"),
    value(lambda w: F.softmax(w.x, temperature=10**400), "temperature is too large for a float"),
    value(lambda w: F.dropout(w.x, p=2, seed=0), "p must be at least 0.0 and at most 1.0, got 2"),
    value(lambda w: linear(w, activation="cube"), "activation must be one of"),
    value(lambda w: linear(w, x=w.x[:, :2]), "x has 2 features"),
    type_(lambda w: linear(w, weight=w.net["0.weight"].astype("d")), "weight is float64 but x is float32"),
    value(lambda w: linear(w, bias=w.x[0]), "bias must have shape (5,)"),
    value(lambda w: F.mse_loss(w.x, w.x[:2]), "target must have the shape of input"),
    value(lambda w: F.mse_loss(w.x, w.x, "median"), "reduction must be one of 'mean', 'sum', 'none', got 'median'"),
    value(lambda w: F.cross_entropy(w.x, np.full(ROWS, 4)), "target[0] is 4: class indices must be between 0 and 3"),
    value(lambda w: F.cross_entropy(w.x, w.y, weight=np.ones(3)), "weight must have shape (4,) one a class, got (3,)"),
    value(lambda w: F.nll_loss(w.x, np.full(ROWS, -100), ignore_index=4), "target[0] is -100: class indices"),
    value(lambda w: F.quantile_loss(w.x, w.x, q=[0.5, 0.5]), "q must have shape (4,) one a column, got (2,)"),
    value(lambda w: F.gaussian_nll_loss(w.x, w.x, -np.ones_like(w.x)), "var must be 0 or more, got -1.0"),
    value(lambda w: F.gaussian_nll_loss(w.x, w.x, w.x[:2]), "var must have the shape of input, (6, 4), got (2, 4)"),
    value(lambda w: F.cosine_loss(w.x[0], w.x[0]), "input must have shape (rows, features), got (4,)"),
    value(
        lambda w: F.kl_div(w.x, w.x, "batch"),
        "reduction must be one of 'mean', 'sum', 'none', 'batchmean', got 'batch'",
    ),
    type_(lambda w: F.kl_div(w.x, w.x, log_target=1), "log_target must be True or False, got int"),
    type_(lambda w: F.nll_loss(w.x, w.x), "target must be integer class indices of shape (6,), got float32"),
    value(lambda w: F.mse_loss_backward(np.ones(2), w.x, w.x), "grad_output must be a scalar for reduction 'mean'"),
    type_(lambda w: adam_step(w, param=[0.0]), "param must be an ndarray, which is updated in place, got list"),
    value(lambda w: adam_step(w, param=read_only(4)), "param must be writable"),
    value(lambda w: adam_step(w, param=np.zeros(8)[::2]), "param must be C-contiguous"),
    value(lambda w: adam_step(w, grad=np.zeros(3)), "grad must have the shape of param"),
    type_(lambda w: adam_step(w, grad=np.zeros(4, "f")), "grad is float32 but param is float64"),
    value(lambda w: adam_step(w, step=0), "step must be at least 1, got 0"),
]

SETTINGS = [
    value(lambda w: fastnn.set_num_threads(0), "num_threads must be between 1 and 1024, got 0"),
    type_(lambda w: fastnn.set_num_threads(1.5), "num_threads must be an integer, got float"),
    type_(lambda w: fastnn.set_num_threads(True), "num_threads must be an integer, got bool"),
    value(
        lambda w: fastnn.set_isa("x"),
        f"one of {', '.join(fastnn.available_isas())} on this machine, got 'x'",
    ),
    value(lambda w: fastnn.set_isa(None), "on this machine, got None"),
    value(lambda w: fastnn.use_backend("x"), "backend must be one of 'native', 'reference', got 'x'"),
    value(lambda w: fastnn.use_backend(None), "backend must be one of 'native', 'reference', got None"),
    value(lambda w: data.make_moons(0), "must be at least 1, got 0"),
    type_(lambda w: data.load_digits(dtype="int32"), "dtype must be float32 or float64, got int32"),
    value(lambda w: data.train_test_split(w.x, test_size=1.5), "test_size must"),
    value(lambda w: data.batches(w.x, batch_size=0), "batch_size must be at least 1, got 0"),
    value(lambda w: data.batches(w.x, w.y[:2], batch_size=1), "x and y must have equally many samples, got 6 and 2"),
]

TABLE = MODULES + RUNNING + TRAINING + FUNCTIONS + SETTINGS


@pytest.mark.parametrize("case", TABLE, ids=str)
@pytest.mark.parametrize("backend", ["native", "reference"])
def test_a_wrong_argument_is_explained_and_changes_nothing(case, backend, world):
    settings = fastnn.get_backend(), fastnn.get_isa(), fastnn.get_num_threads()
    with fastnn.use_backend(backend):
        before = world.net.parameters().data.tobytes(), repr(world.optimizer.state_dict())
        with pytest.raises(case.error, match=re.escape(case.message)):
            case.call(world)
        assert (world.net.parameters().data.tobytes(), repr(world.optimizer.state_dict())) == before
        twin = make_world()
        if case in TRAINING:  # also the masks of dropout go on as if nothing had been
            assert world.trainer.step(world.x, world.y) == pytest.approx(twin.trainer.step(world.x, world.y), rel=1e-6)
    assert (fastnn.get_backend(), fastnn.get_isa(), fastnn.get_num_threads()) == settings


ANYTHING = [
    None, True, 0, -1, 3, 2**63, 10**400, 0.5, -0.0, float("nan"), float("inf"), 1j, "", "mean", b"x",
    (), [], [1, 2], {}, {"lr": 1}, set(), object(), int, np.tanh, len, Ellipsis, slice(2), range(3),
    np.float32(2), np.int8(3), np.bool_(True), np.complex128(1j), np.datetime64("2020"),
    np.zeros(0), np.zeros(3, "f"), np.zeros((6, 4), "f"), np.zeros((6, 3), "f"), np.zeros((6, 4)), np.arange(6),
    np.zeros((6, 4), ">f4"), np.zeros((2, 6, 4), "f")[:, ::-1], np.zeros((0, 4), "f"), np.zeros((6, 4), "c8"),
    np.full(6, -9), np.full(6, 2**63, "u8"), np.array(["a"] * 6), np.array([None, 1]), np.ma.ones(4),
    np.zeros(6, "M8[s]"), np.zeros(2, [("a", "f4"), ("b", "i8")]), np.broadcast_to(np.float32(1), (6, 4)),
    nn.ReLU, nn.MSELoss(), optim.Adam,
]  # fmt: skip
ALLOWED = (TypeError, ValueError, KeyError)


def targets_of_fuzzing(w):
    """Callables of the public interface, and how many arguments they are given."""
    names = set(nn.__all__) - {"Parameter", "Parameters", "init"}  # those are made by networks
    classes = [getattr(nn, name) for name in sorted(names)]
    functions = [getattr(F, name) for name in F.__all__]
    updates = [getattr(optim.functional, name) for name in optim.functional.__all__]
    optimizers = [member for name in optim.__all__ if isinstance(member := getattr(optim, name), type)]
    attributes = [
        (lambda v, n=name: setattr(w.optimizer, n, v)) for name in ("lr", "betas", "beta1", "eps", "weight_decay")
    ]
    methods = [
        w.net, w.net.predict, w.net.load_state_dict, w.net.compile, w.net.layers[0], w.trainer.step,
        w.trainer.fit, w.trainer.evaluate, w.regression.step, w.optimizer.load_state_dict, fastnn.Trainer,
        fastnn.set_isa, fastnn.set_num_threads, fastnn.use_backend, nn.init.Uniform,
        data.train_test_split, data.batches, data.standardize, data.load_digits,
    ]  # fmt: skip
    return [*classes, *functions, *updates, *optimizers, *methods * 4, *attributes * 2]


def wrong_call(rng, w, function):
    """Call with positional arguments from the list; now and then with the right first one, to get further."""
    arguments = [ANYTHING[i] for i in rng.integers(len(ANYTHING), size=rng.integers(1, 5))]
    if rng.random() < 0.3:
        arguments[0] = w.x
    function(*arguments)


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_random_calls_raise_only_what_they_may(backend):
    rng = np.random.default_rng(0)
    threads, isa = fastnn.get_num_threads(), fastnn.get_isa()
    raised, w = 0, make_world()
    for trial in range(1500):
        with fastnn.use_backend(backend), np.errstate(all="ignore"):
            w = make_world() if trial % 10 == 0 else w
            functions = targets_of_fuzzing(w)
            function = functions[rng.integers(len(functions))]
            try:
                wrong_call(rng, w, function)
            except ALLOWED:
                raised += 1
            fastnn.set_num_threads(threads)
            fastnn.set_isa(isa)
    assert raised > 300
    assert make_world().trainer.step(w.x, w.y) > 0
