"""Networks: their parameters, names and copies, and the same bits however they run."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.layers import draw


def make_network(dtype="float32", p=0.0):
    """Everything that has a kernel of its own: products with and without activations, dropout, softmax."""
    layers = [nn.Linear(5, 16), nn.Tanh(), nn.Dropout(p), nn.Linear(16, 12, bias=False), nn.GELU(), nn.Hardtanh(-2, 2)]
    return nn.Sequential(*layers, nn.Linear(12, 4), nn.LogSoftmax(), seed=3, dtype=dtype)


def trained(rng, steps=20, rows=33):
    """SHA-256 of the weights of a network with dropout after some steps of Adam."""
    x, labels = draw(rng, (rows, 5), "float32"), rng.integers(4, size=rows)
    net = make_network(p=0.3)
    trainer = fastnn.Trainer(net, nn.NLLLoss(), optim.Adam(net.parameters(), lr=0.01))
    for _ in range(steps):
        trainer.step(x, labels)
    return hashlib.sha256(net.parameters().data.tobytes()).hexdigest()


def test_training_gives_the_same_bits_however_it_runs(isas, cut_small_work, global_random_seed):
    """Again, for any number of threads and any instruction set that has fused multiply-adds."""
    hashes = set()
    for name in isas:
        if name != "sse2":
            fastnn.set_isa(name)
            for threads in (1, 2, 3, 5, 5):
                fastnn.set_num_threads(threads)
                hashes.add(trained(np.random.default_rng(global_random_seed)))
    assert len(hashes) == 1


def test_a_changed_learning_rate_counts_at_once(rng):
    """Also a changed weight, and both in the trainer and in the loop."""
    net, x = make_network(), draw(rng, (8, 5), "float32")
    optimizer = optim.SGD(net.parameters(), lr=0.0)
    trainer = fastnn.Trainer(net, nn.NLLLoss(), optimizer)
    labels, before = np.arange(8) % 4, net.parameters().data.copy()
    for step in (lambda: trainer.step(x, labels), optimizer.step):
        optimizer.lr = 0.0
        step()
        assert_same_bits(net.parameters().data, before)
        optimizer.lr = 0.5
        step()
        np.testing.assert_allclose(before - net.parameters().data, 0.5 * net.parameters().grad, atol=1e-6)
        net.parameters().data[...] = before
    assert trainer.step(x, labels) == pytest.approx(F.nll_loss(make_network().predict(x), labels), rel=1e-6)


def make_nested():
    inner = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Dropout(0.5))
    return nn.Sequential(inner, nn.Sequential(nn.Sequential(nn.Linear(4, 5), nn.ReLU())), nn.Linear(5, 2), seed=0)


NESTED_NAMES = ["0.0.weight", "0.0.bias", "1.0.0.weight", "1.0.0.bias", "2.weight", "2.bias"]


def test_names_are_torchs_and_views_are_of_one_buffer():
    net = make_nested()
    params = net.parameters()
    assert [name for name, _ in net.named_parameters()] == NESTED_NAMES
    assert [name for name, _ in net.named_gradients()] == NESTED_NAMES
    assert [(p.name, p.data.shape) for p in params][2:4] == [("1.0.0.weight", (4, 5)), ("1.0.0.bias", (5,))]
    for flat, views in ((params.data, net.named_parameters()), (params.grad, net.named_gradients())):
        for _, view in views:
            assert np.shares_memory(flat, view)
            assert view.ctypes.data % 64 == 0
            view[...] = 3
        assert flat.sum() == 3 * params.numel()  # what lies between the parameters is still 0
    assert params.numel() == 3 * 4 + 4 + 4 * 5 + 5 + 5 * 2 + 2
    np.testing.assert_array_equal(params["2.weight"].data, net["2.weight"])
    with pytest.raises(KeyError, match=r"no parameter '3.weight'; there are 0.0.weight"):
        net["3.weight"]


def test_a_nested_network_works_on_its_stretch(rng):
    net, x = make_nested(), draw(rng, (6, 3), "float32")
    inner, middle, last = net
    assert len(net) == 3
    assert [name for name, _ in inner.named_parameters()] == ["0.weight", "0.bias"]
    assert [name for name, _ in middle.named_parameters()] == ["0.0.weight", "0.0.bias"]
    assert np.shares_memory(inner.parameters().data, net.parameters().data)
    net.eval()
    assert not inner.training
    assert_same_bits(last(middle(inner(x))), net(x))
    inner["0.weight"][...] *= 2
    assert_same_bits(last(middle(inner(x))), net(x))
    y = net.train()(x)
    net.backward(np.ones_like(y))
    np.testing.assert_array_equal(dict(middle.named_gradients())["0.0.bias"], dict(net.named_gradients())["1.0.0.bias"])


def test_threads_may_share_a_network_for_predictions():
    net = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 3), seed=0)
    x = np.random.default_rng(0).normal(size=(300, 8)).astype("float32")
    expected = net.predict(x).tobytes()
    with ThreadPoolExecutor(4) as pool:
        assert all(bits == expected for bits in pool.map(lambda _: net.predict(x).tobytes(), range(200)))
