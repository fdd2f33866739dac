"""Two backends, one program: the compiled core and its NumPy reference train the same."""

import numpy as np
import pytest

import fastnn
import fastnn.reference
from fastnn import functional as F
from fastnn import nn, optim
from fastnn.nn.embedding_losses import SeveralInputsLoss

ROWS, FEATURES, OUTPUTS = 23, 6, 4
STEPS = 5
RTOL = (
    1e-9  # after five steps in float64: what rounding leaves of agreement, with room for Adam's division by tiny roots
)

ACTIVATIONS = {
    "celu": lambda: nn.CELU(0.7),
    "elu": lambda: nn.ELU(0.7),
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU("tanh"),
    "selu": nn.SELU,
    "hardsigmoid": nn.Hardsigmoid,
    "hardswish": nn.Hardswish,
    "hardtanh": lambda: nn.Hardtanh(-0.5, 0.75),
    "leaky_relu": lambda: nn.LeakyReLU(0.1),
    "log_softmax": lambda: nn.LogSoftmax(temperature=2.0),
    "mish": nn.Mish,
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "softmax": lambda: nn.Softmax(temperature=0.5),
    "softplus": lambda: nn.Softplus(2.0, 10.0),
    "softsign": nn.Softsign,
    "tanh": nn.Tanh,
    "logsigmoid": nn.LogSigmoid,
    "threshold": lambda: nn.Threshold(-0.5, 0.25),
    "tanhshrink": nn.Tanhshrink,
    "softshrink": lambda: nn.Softshrink(0.25),
    "hardshrink": lambda: nn.Hardshrink(0.25),
    "rrelu": nn.RReLU,
    "softmin": lambda: nn.Softmin(temperature=0.5),
    "dropout": lambda: nn.Dropout(0.3),
    "alpha_dropout": lambda: nn.AlphaDropout(0.3),
    "gaussian_dropout": lambda: nn.GaussianDropout(0.3),
    "gaussian_noise": lambda: nn.GaussianNoise(0.2),
    "prelu": nn.PReLU,
    "prelu_of_features": lambda: nn.PReLU(7, 0.1),
    "temperature": lambda: nn.Temperature(2.0),
    "glu": lambda: nn.Sequential(nn.Linear(7, 14), nn.GLU()),
    "swiglu": lambda: nn.Sequential(nn.Linear(7, 14), nn.SwiGLU()),
    "maxout": lambda: nn.Sequential(nn.Linear(7, 21), nn.Maxout(3)),
    "columns": lambda: nn.Columns([3, 1, 1, 6, 0, 5, 2]),
    "identity": nn.Identity,
    "flatten": nn.Flatten,
    "batch_norm": lambda: nn.Sequential(nn.Tanh(), nn.BatchNorm1d(7), nn.ReLU()),
    "group_norm": lambda: nn.Sequential(nn.GroupNorm(7, 7, bias=False), nn.GELU(), nn.GroupNorm(1, 7)),
    "instance_norm": lambda: nn.Sequential(nn.InstanceNorm1d(1, affine=True), nn.GELU()),
    "layer_norm": lambda: nn.Sequential(nn.LayerNorm(7), nn.GELU()),
    "rms_norm": lambda: nn.RMSNorm(7),
    "residual": lambda: nn.Residual(nn.Linear(7, 7), nn.Tanh()),
    "concat": lambda: nn.Sequential(nn.Concat(nn.Sequential(), nn.Linear(7, 2)), nn.Linear(9, 7)),
}


def real(rng):
    return rng.standard_normal((ROWS, OUTPUTS))


def binary(rng):
    return rng.integers(0, 2, (ROWS, OUTPUTS))


def labels(rng):
    return rng.integers(0, OUTPUTS, ROWS)


def soft(rng):
    return F.softmax(real(rng))


def signs(rng):
    return 2 * binary(rng) - 1


def some_labels(rng):
    return np.where(rng.random(ROWS) < 0.2, -1, labels(rng))


def pairs_of(rng):
    """Half as many targets as outputs."""
    return real(rng)[:, : OUTPUTS // 2]


def labels_as_counts(rng):
    return rng.integers(0, 5, (ROWS, OUTPUTS))


SOME_LABELS = np.tile([0, 3, -1, 2], (ROWS, 1))
CLASS_WEIGHTS = np.array([0.5, 2.0, 0.0, 1.0])


# loss, its target, and what the network ends with
LOSSES = {
    "mse": (nn.MSELoss(), real, None),
    "mse_sum": (nn.MSELoss("sum"), real, None),
    "rmse": (nn.RMSELoss(), real, None),
    "l1": (nn.L1Loss(), real, None),
    "huber": (nn.HuberLoss(delta=0.3), real, None),
    "smooth_l1": (nn.SmoothL1Loss(beta=0.3), real, None),
    "bce": (nn.BCELoss(), binary, nn.Sigmoid),
    "bce_logits": (nn.BCEWithLogitsLoss(), binary, None),
    "cross_entropy": (nn.CrossEntropyLoss(), labels, None),
    "cross_entropy_smooth": (nn.CrossEntropyLoss("sum", label_smoothing=0.1), labels, None),
    "cross_entropy_soft": (nn.CrossEntropyLoss(), soft, None),
    "nll": (nn.NLLLoss(), labels, nn.LogSoftmax),
    "bce_pos_weight": (nn.BCEWithLogitsLoss(pos_weight=3.0), binary, None),
    "bce_pos_weights": (nn.BCEWithLogitsLoss("sum", pos_weight=CLASS_WEIGHTS), binary, None),
    "bce_weight": (nn.BCELoss(weight=CLASS_WEIGHTS), binary, nn.Sigmoid),
    "bce_logits_weight": (nn.BCEWithLogitsLoss("sum", pos_weight=2.0, weight=CLASS_WEIGHTS), binary, None),
    "log_cosh": (nn.LogCoshLoss(), real, None),
    "mape": (nn.MAPELoss(eps=0.1), real, None),
    "msle": (nn.MSLELoss(), labels_as_counts, nn.Softplus),
    "tweedie": (nn.TweedieLoss(), labels_as_counts, nn.Softplus),
    "gamma": (nn.GammaLoss(log_input=True), lambda rng: labels_as_counts(rng) + 1, None),
    "dice": (nn.DiceLoss(smooth=1.0), binary, nn.Sigmoid),
    "multilabel_margin": (nn.MultiLabelMarginLoss(), lambda rng: rng.permuted(SOME_LABELS, axis=1), None),
    "multilabel_soft": (nn.MultiLabelSoftMarginLoss(weight=CLASS_WEIGHTS), binary, None),
    "hinge_embedding": (nn.HingeEmbeddingLoss(), signs, None),
    "focal": (nn.FocalLoss(gamma=1.5), binary, None),
    "hinge": (nn.HingeLoss(), signs, None),
    "hinge_squared": (nn.HingeLoss("sum", margin=0.5, squared=True), signs, None),
    "soft_margin": (nn.SoftMarginLoss(), signs, None),
    "quantile": (nn.QuantileLoss(q=0.9), real, None),
    "quantiles": (nn.QuantileLoss(q=(0.1, 0.25, 0.5, 0.9)), lambda rng: real(rng)[:, 0], None),
    "cosine": (nn.CosineSimilarityLoss(), real, None),
    "poisson": (nn.PoissonNLLLoss(full=True), labels_as_counts, None),
    "poisson_rates": (nn.PoissonNLLLoss(log_input=False), labels_as_counts, nn.Softplus),
    "kl_div": (nn.KLDivLoss("batchmean"), soft, nn.LogSoftmax),
    "kl_div_log": (nn.KLDivLoss(log_target=True), lambda rng: np.log(soft(rng)), nn.LogSoftmax),
    "gaussian": (nn.GaussianNLLLoss(full=True), pairs_of, None),
    "gaussian_sum": (nn.GaussianNLLLoss("sum", eps=0.5), pairs_of, None),
    "cross_entropy_weight": (nn.CrossEntropyLoss(weight=CLASS_WEIGHTS, ignore_index=-1), some_labels, None),
    "cross_entropy_weight_smooth": (
        nn.CrossEntropyLoss("sum", 0.1, weight=CLASS_WEIGHTS, ignore_index=1),
        labels,
        None,
    ),
    "cross_entropy_weight_soft": (nn.CrossEntropyLoss(weight=CLASS_WEIGHTS, label_smoothing=0.1), soft, None),
    "nll_weight": (nn.NLLLoss(weight=CLASS_WEIGHTS, ignore_index=-1), some_labels, nn.LogSoftmax),
    "softmax_focal": (nn.SoftmaxFocalLoss(weight=CLASS_WEIGHTS, ignore_index=-1), some_labels, None),
    "multi_margin": (nn.MultiMarginLoss(), labels, None),
    "multi_margin_weight": (nn.MultiMarginLoss(p=2, weight=CLASS_WEIGHTS, ignore_index=-1), some_labels, None),
    "python": (lambda y_pred, y: (((y_pred - y) ** 2).sum(), 2 * (y_pred - y)), real, None),
}
OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.05),
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "nesterov": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.05, lr_decay=0.1, weight_decay=0.01),
    "rmsprop": lambda p: optim.RMSprop(p, weight_decay=0.01),
    "rmsprop_centered": lambda p: optim.RMSprop(p, centered=True, momentum=0.5),
    "adam": lambda p: optim.Adam(p, lr=0.01, weight_decay=0.01),
    "amsgrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True),
    "adamw": lambda p: optim.AdamW(p, lr=0.01),
    "adam_keras": lambda p: optim.Adam(p, lr=0.01, weight_decay=0.01, compat="keras"),
    "adadelta": lambda p: optim.Adadelta(p, weight_decay=0.01),
    "nadam": lambda p: optim.NAdam(p, lr=0.01, weight_decay=0.01),
    "radam": lambda p: optim.RAdam(p, lr=0.01, betas=(0.9, 0.99), weight_decay=0.01, decoupled_weight_decay=True),
    "adamax": lambda p: optim.Adamax(p, lr=0.01),
    "lion": lambda p: optim.Lion(p, lr=0.001, weight_decay=0.01),
    "rprop": lambda p: optim.Rprop(p, lr=0.001),
    "asgd": lambda p: optim.ASGD(p, lr=0.05, lambd=0.1, t0=2, weight_decay=0.01),
    "schedulefree": lambda p: optim.ScheduleFreeAdamW(p, lr=0.01, weight_decay=0.01, warmup_steps=3),
    "adafactor": lambda p: optim.Adafactor(p, lr=0.05, weight_decay=0.01),
    "muon": lambda p: optim.Muon([q for q in p if q.data.ndim == 2], lr=0.02),
    "lbfgs": lambda p: optim.LBFGS(p, lr=0.1, max_iter=1, line_search_fn="strong_wolfe"),
}


def train(backend, activation="tanh", loss="cross_entropy", optimizer="adam", weighted=False):
    """The losses of some steps on a backend, and the parameters and predictions after them."""
    function, target, end = LOSSES[loss]
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((ROWS, FEATURES)), target(rng)
    weight = rng.uniform(0, 2, ROWS) if weighted else None
    layers = [nn.Linear(FEATURES, 7), ACTIVATIONS[activation](), nn.Dropout(0.2), nn.Linear(7, OUTPUTS)]
    net = nn.Sequential(*layers, *([end()] if end else []), seed=1, dtype="float64")
    trainer = fastnn.Trainer(net, function, OPTIMIZERS[optimizer](net.parameters()))
    with fastnn.use_backend(backend):
        losses = [trainer.step(x, y, weight) for _ in range(STEPS)]
        scores = trainer.evaluate(x, y, sample_weight=weight, batch_size=9)
        return losses, net.parameters().data.copy(), net.predict(x), list(scores.values())


def assert_backends_agree(**kind):
    for native, reference in zip(train("native", **kind), train("reference", **kind), strict=True):
        np.testing.assert_allclose(native, reference, rtol=RTOL, atol=1e-13)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_backends_train_the_same_with_every_activation(activation):
    assert_backends_agree(activation=activation)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", [name for name in LOSSES if name != "python"])
def test_backends_train_the_same_with_every_loss(loss, weighted):
    assert_backends_agree(loss=loss, optimizer="sgd", weighted=weighted)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", ["mse", "rmse", "bce_logits", "cross_entropy", "nll"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_backends_train_the_same_with_every_optimizer(loss, optimizer, weighted):
    assert_backends_agree(loss=loss, optimizer=optimizer, weighted=weighted)


def test_backends_train_the_same_with_a_loss_in_python():
    assert_backends_agree(loss="python")


def test_every_module_and_loss_is_in_these_tables():
    made = [make() for make in ACTIVATIONS.values()]
    layers = {type(layer) for outer in made for layer in (outer, *outer.children())}
    losses = {type(loss) for loss, *_ in LOSSES.values()}
    several = {cls for cls in vars(nn).values() if isinstance(cls, type) and issubclass(cls, SeveralInputsLoss)}
    bases = several | {
        nn.Module,
        nn.ModuleList,
        nn.Sequential,
        nn.Loss,
        nn.HeadsLoss,
        nn.Heads,
        nn.Parameter,
        nn.Parameters,
        nn.TraceError,
    }
    public = {getattr(nn, name) for name in nn.__all__ if isinstance(getattr(nn, name), type)}
    tables = {nn.Embedding, nn.EmbeddingBag, nn.TabularInput}  # test_embedding.py, test_embedding_bag.py
    tables |= {nn.LinearInt8}  # test_int8.py
    pairs = {nn.GraphModule, nn.Bilinear, nn.CosineSimilarity, nn.PairwiseDistance}  # test_group_norm.py
    assert public - bases <= layers | losses | tables | pairs
    makers = {type(make(nn.Sequential(nn.Linear(1, 1)).parameters())) for make in OPTIMIZERS.values()}
    classes = {member for name in optim.__all__ if isinstance(member := getattr(optim, name), type)}
    assert makers == classes - {optim.Optimizer, optim.WeightAverage, optim.ExponentialMovingAverage}


@pytest.mark.parametrize("first", ["native", "reference"])
def test_a_run_can_change_backends_in_its_middle(first):
    """Both work on the same parameters, states and streams of dropout."""
    second = "native" if first == "reference" else "reference"
    x, y = np.random.default_rng(0).standard_normal((20, 3)), np.arange(20) % 2

    def run(*backends):
        net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2), seed=0, dtype="float64")
        trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
        for backend in backends:
            with fastnn.use_backend(backend):
                trainer.fit(x, y, batch_size=6)
        return net.parameters().data

    np.testing.assert_allclose(run(first, second), run(first, first), rtol=RTOL)


def test_backends_fit_the_same_and_record_the_same():
    def run(backend):
        net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2), seed=0, dtype="float64")
        trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.05))
        x, y = fastnn.data.make_moons(100, noise=0.1, seed=0, dtype="float64")
        with fastnn.use_backend(backend):
            history = trainer.fit(x, y, epochs=5, batch_size=16, validation_split=0.2, seed=3)
        return {name: values for name, values in history.records.items() if name != "seconds"}

    native, reference = run("native"), run("reference")
    assert list(native) == list(reference)
    for name in native:
        np.testing.assert_allclose(native[name], reference[name], rtol=RTOL)


def test_functions_go_to_the_backend_in_use():
    """One of each kind: what the reference computes is what comes back, bit for bit."""
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((9, 6)), rng.standard_normal((6, 4)), rng.standard_normal(4)
    t, q, y = rng.standard_normal((9, 6)), F.softmax(rng.standard_normal((9, 6))), rng.integers(0, 6, 9)
    calls = {
        "exp": (x,),
        "gelu": (x,),
        "gelu_backward": (t, x),
        "softmax": (x,),
        "log_softmax_backward": (t, F.log_softmax(x)),
        "entropy": (q,),
        "linear": (x, w, b),
        "linear_backward": (x @ w, x, w),
        "mse_loss": (x, t),
        "huber_loss_backward": (1.0, x, t),
        "cross_entropy": (x, y),
        "cross_entropy_backward": (1.0, x, q),
    }
    for name, arguments in calls.items():
        native = getattr(F, name)(*arguments)
        with fastnn.use_backend("reference"):
            through = getattr(F, name)(*arguments)
        direct = getattr(fastnn.reference, name)(*arguments)
        for ours, theirs, compiled in zip(*(map(np.atleast_1d, r if isinstance(r, tuple) else (r,)) for r in
                                            (through, direct, native)), strict=True):  # fmt: skip
            assert np.asarray(ours).tobytes() == np.asarray(theirs).tobytes(), name
            np.testing.assert_allclose(ours, compiled, rtol=1e-12, atol=1e-14)


def test_a_backend_holds_for_its_block():
    assert fastnn.get_backend() == "native"
    with fastnn.use_backend("reference") as outer:
        assert fastnn.get_backend() == "reference"
        assert isinstance(outer, fastnn.use_backend)
        with fastnn.use_backend("native"):
            assert fastnn.get_backend() == "native"
            with fastnn.use_backend("native"):
                assert fastnn.get_backend() == "native"
        assert fastnn.get_backend() == "reference"
    assert fastnn.get_backend() == "native"


def leave_by_an_error():
    with fastnn.use_backend("reference"):
        F.relu("not an array")


def test_a_backend_is_put_back_after_an_error():
    with pytest.raises(TypeError, match="x must be"):
        leave_by_an_error()
    assert fastnn.get_backend() == "native"
    with pytest.raises(ValueError, match="backend must be one of 'native', 'reference', got 'gpu'"):
        fastnn.use_backend("gpu")
    assert fastnn.get_backend() == "native"


def test_a_backend_stays_without_a_block():
    fastnn.use_backend("reference")
    try:
        assert fastnn.get_backend() == "reference"
        assert F.relu(np.array([-1.0, 2.0])).tolist() == [0.0, 2.0]
    finally:
        fastnn.use_backend("native")
    assert fastnn.get_backend() == "native"
