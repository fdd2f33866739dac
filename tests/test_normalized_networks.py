"""Networks with LayerNorm, RMSNorm and BatchNorm1d: training, fusion and inference."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn._core import threads
from support.normalized import STORED, assert_equal, data, make_network, running, stored


def by_trainer(net, optimizer):
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optimizer).step


def by_hand(net, optimizer):
    def step(x, y):
        loss, grad = nn.CrossEntropyLoss()(net(x), y)
        net.backward(grad)
        optimizer.step()
        optimizer.zero_grad()
        return loss

    return step


@pytest.mark.parametrize("way", [by_trainer, by_hand])
@pytest.mark.parametrize("rule", ["SGD", "Adam"])
def test_training_follows_torch(rule, way, backend):
    """Losses, parameters, running statistics and predictions."""
    expected = stored(f"training/{rule}/")
    net = make_network()
    keywords = {"SGD": {"lr": 0.1, "momentum": 0.9}, "Adam": {"lr": 0.02}}[rule]
    step = way(net, getattr(optim, rule)(net.parameters(), **keywords))
    losses = [step(STORED["data/x"], STORED["data/labels"]) for _ in expected["losses"]]
    np.testing.assert_allclose(losses, expected["losses"], rtol=1e-10)
    np.testing.assert_allclose(net.predict(STORED["data/x"]), expected["outputs"], rtol=1e-9, atol=1e-11)
    state = net.state_dict()
    assert {f"state/{name}" for name in state} == {key for key in expected if key.startswith("state/")}
    for name, array in state.items():
        assert array.dtype == expected[f"state/{name}"].dtype
        np.testing.assert_allclose(array, expected[f"state/{name}"], rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_running_statistics_of_a_layer_follow_torch(momentum, backend):
    layer = nn.BatchNorm1d(4, momentum=momentum, dtype="float64")
    for i in range(3):
        y = layer(STORED[f"data/batch{i}"])
        for j, actual in enumerate((y, layer.running_mean, layer.running_var)):
            np.testing.assert_allclose(actual, STORED[f"running/{momentum}/{i}/{j}"], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(layer.eval()(STORED["data/x"]), STORED[f"running/{momentum}/x/0"], rtol=1e-12)
    assert layer.num_batches_tracked == STORED[f"running/{momentum}/x/1"]


LAYERS = {
    "LayerNorm": lambda: nn.LayerNorm(4),
    "LayerNorm without bias": lambda: nn.LayerNorm(4, bias=False),
    "LayerNorm without affine": lambda: nn.LayerNorm(4, affine=False),
    "RMSNorm": lambda: nn.RMSNorm(4),
    "RMSNorm without affine": lambda: nn.RMSNorm(4, 0.1, affine=False),
    "BatchNorm1d": lambda: nn.BatchNorm1d(4),
    "BatchNorm1d without affine": lambda: nn.BatchNorm1d(4, affine=False),
    "BatchNorm1d without statistics": lambda: nn.BatchNorm1d(4, track_running_stats=False),
    "frozen BatchNorm1d": lambda: nn.BatchNorm1d(4, frozen=True),
    "fused": lambda: nn.Sequential(nn.BatchNorm1d(4), nn.GELU(), nn.Linear(4, 4), nn.Sigmoid(), nn.LayerNorm(4),
                                   nn.ReLU(), nn.RMSNorm(4), nn.Dropout(0.3), nn.Linear(4, 2)),
    "first and last": lambda: nn.Sequential(nn.LayerNorm(4), nn.Tanh(), nn.BatchNorm1d(4), nn.Mish()),
    "in branches": lambda: nn.Residual(nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 4), nn.LayerNorm(4)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_gradients(name, backend):
    """In a program, of the input and all parameters; twice they add up."""
    assert fastnn.gradcheck(LAYERS[name](), data(6)[0])


@pytest.mark.parametrize("name", LAYERS)
def test_training_has_the_same_bits_for_any_number_of_threads(name, dtype, cut_small_work):
    x, ends = data(70)[0], []
    for n in (1, 2, 3, 5):
        threads.set_num_threads(n)
        net = nn.Sequential(nn.Linear(4, 4), LAYERS[name](), seed=0, dtype=dtype)
        trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
        trainer.fit(x.astype(dtype), np.zeros((70, net.out_features_for(4)), dtype), batch_size=17, seed=0)
        ends.append([net.parameters().data, *running(net), net.predict(x.astype(dtype))])
    for end in ends[1:]:
        assert_equal(end, ends[0])


def test_what_is_fused_with_what():
    net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.BatchNorm1d(5), nn.GELU(), nn.Linear(5, 4), nn.LayerNorm(4))
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    labels = [(o.kind, o.label) for o in trainer.compile(8).operations]
    assert labels[:4] == [
        ("linear", "0 Linear + 1 ReLU"),
        ("batch_norm", "2 BatchNorm1d + 3 GELU"),
        ("linear", "4 Linear"),
        ("layer_norm", "5 LayerNorm"),
    ]
    assert ("linear_backward", "4 Linear + gradient of 3 GELU") in labels
    assert ("batch_norm_backward", "2 BatchNorm1d + gradient of 1 ReLU") in labels
    assert labels[-1] == ("running", "2 BatchNorm1d, running statistics")
    assert not any(kind.startswith("activation") for kind, _ in labels)


@pytest.mark.parametrize("name", [name for name in LAYERS if "without statistics" not in name])
def test_inference_does_not_see_the_batch(name, backend):
    net = nn.Sequential(LAYERS[name](), seed=0, dtype="float64")
    x, _ = data(40)
    net(x)
    whole = net.predict(x)
    for rows in (slice(0, 1), slice(3, 5), slice(7, 40)):
        np.testing.assert_allclose(net.predict(x[rows]), whole[rows], rtol=0 if backend == "native" else 1e-12)


def test_layers_alone(backend):
    x = data(5)[0].astype("float32")
    norms = {
        nn.LayerNorm(4): F.layer_norm(x),
        nn.RMSNorm(4): F.rms_norm(x),
        nn.BatchNorm1d(4): F.batch_norm(x, None, None, training=True),
        nn.BatchNorm1d(4, affine=False): F.batch_norm(x, None, None, training=True),
        nn.BatchNorm1d(4).eval(): F.batch_norm(x, np.zeros(4, "f"), np.ones(4, "f")),
        nn.BatchNorm1d(4, track_running_stats=False).eval(): F.batch_norm(x, None, None, training=True),
    }
    for layer, expected in norms.items():
        np.testing.assert_allclose(layer(x), expected, rtol=1e-6, atol=1e-6)
    layer = nn.BatchNorm1d(4)
    layer.weight, layer.bias = np.full(4, 2.0), np.full(4, 3.0)
    np.testing.assert_allclose(layer(x), 2 * F.batch_norm(x, None, None, training=True) + 3, rtol=1e-5, atol=1e-5)
    assert layer.num_batches_tracked == 1
    np.testing.assert_allclose(layer.backward(np.ones_like(x)), 0, atol=1e-5)
    assert repr(nn.BatchNorm1d(4, track_running_stats=False)) == (
        "BatchNorm1d(4, eps=1e-05, momentum=0.1, track_running_stats=False)"
    )
    assert repr(nn.RMSNorm(4)) == "RMSNorm(4)"
    assert repr(nn.LayerNorm(4, affine=False)) == "LayerNorm(4, eps=1e-05, affine=False)"


# Errors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.LayerNorm(0), ValueError, "features must be at least 1, got 0"),
        (lambda: nn.BatchNorm1d(2.0), TypeError, "num_features must be an integer, got float"),
        (lambda: nn.LayerNorm(3, -1), ValueError, "eps must be at least 0.0, got -1"),
        (lambda: nn.LayerNorm(3, affine=1), TypeError, "affine must be True or False, got 1"),
        (lambda: nn.LayerNorm(3, bias=None), TypeError, "bias must be True or False, got None"),
        (lambda: nn.LayerNorm(3, dtype="int8"), ValueError, "dtype must be one of"),
        (lambda: nn.BatchNorm1d(3, momentum=1.5), ValueError, "momentum must be at least 0 and at most 1, got 1.5"),
        (lambda: nn.BatchNorm1d(3, momentum="0.1"), TypeError, "momentum must be a number, got str"),
        (lambda: nn.BatchNorm1d(3, track_running_stats=0), TypeError, "track_running_stats must be True or False"),
        (lambda: nn.BatchNorm1d(3, frozen=0), TypeError, "frozen must be True or False, got 0"),
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(4)), ValueError, "takes 4 features but gets 3"),
        (lambda: nn.Sequential(nn.RMSNorm(4))(np.zeros((2, 3), "f")), ValueError, "RMSNorm: x has 3 features, this"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
