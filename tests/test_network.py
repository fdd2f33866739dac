"""Networks: prediction, gradients, programs, the same bits however they run, and their parameters."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from support.layers import EVERY_ACTIVATION, assert_network_gradients, draw, in_both_backends
from support.measure import assert_same_bits


def make_network(dtype="float32", p=0.0):
    """Everything that has a kernel of its own: products with and without activations, dropout, softmax."""
    layers = [nn.Linear(5, 16), nn.Tanh(), nn.Dropout(p), nn.Linear(16, 12, bias=False), nn.GELU(), nn.Hardtanh(-2, 2)]
    return nn.Sequential(*layers, nn.Linear(12, 4), nn.LogSoftmax(), seed=3, dtype=dtype)


# Prediction


@pytest.mark.parametrize("rows", [0, 1, 7, 512, 513, 1500])
def test_predict_any_number_of_rows(rows, dtype, rng):
    """And a row has the same bits alone, in any batch, and in training mode."""
    net, x = make_network(dtype), draw(rng, (rows, 5), dtype)
    y = net.predict(x)
    assert (y.shape, y.dtype) == ((rows, 4), dtype)
    assert_same_bits(net(x), y)
    for size in (1, 5, 600):
        few = range(0, min(rows, 20 * size), size)
        pieces = [net.predict(x[start : start + size]) for start in few]
        assert_same_bits(np.concatenate([y[:0], *pieces]), y[: 20 * size])
    assert_same_bits(net.predict(x[::-1]), y[::-1])


def test_predict_keeps_the_shape_of_the_rows(backend, rng):
    net, x = make_network(), draw(rng, (2, 3, 5), "float32")
    y = net.predict(x.reshape(6, 5))
    assert_same_bits(net.predict(x), y.reshape(2, 3, 4))
    assert_same_bits(net(x), y.reshape(2, 3, 4))
    assert net.backward(np.ones((2, 3, 4), "float32")).shape == (2, 3, 5)
    np.testing.assert_allclose(net.predict(x[0, 0]), y[0], rtol=1e-5)
    assert net(x[0, 0]).shape == (4,)
    assert net.backward(np.ones(4, "float32")).shape == (5,)
    assert net.predict(x[:, :0]).shape == (2, 0, 4)


def test_any_layout_of_x_will_do(rng):
    net, x = make_network(), draw(rng, (20, 10), "float32")
    for view in (x[:, ::2], x[::-3, 5:], np.asfortranarray(x[:, :5]), x.T.copy().T[:, 1:6]):
        assert_same_bits(net.predict(view), net.predict(view.copy()))
        assert_same_bits(net(view), net.predict(view))
    x.flags.writeable = False
    assert net.predict(x[:, :5]).flags.writeable


def test_a_network_without_layers_returns_its_input(backend, rng):
    net, x = nn.Sequential(), draw(rng, (3, 2), "float32")
    for y in (net(x), net.predict(x), net.backward(x)):
        assert_same_bits(y, x)
        assert not np.shares_memory(y, x)


def test_training_mode_drops_and_inference_does_not(rng):
    net, x = make_network(p=0.5), draw(rng, (30, 5), "float32")
    assert (net(x) != net.predict(x)).any()
    assert_same_bits(net.eval()(x), net.predict(x))
    assert not any(layer.training for layer in net)
    assert (net.train()(x) != net.predict(x)).any()


def test_wrong_inputs_of_a_network():
    net, x = make_network(), np.ones((2, 5), "float32")
    for run in (net, net.predict):
        run(x)
        with pytest.raises(TypeError, match=r"x is float64 but the network is float32: use x.astype\('float32'\)"):
            run(x.astype("float64"))
        with pytest.raises(TypeError, match="x must be float32 or float64, got int64"):
            run(x.astype("int64"))
        with pytest.raises(ValueError, match="Linear: x has 4 features, this layer takes 5"):
            run(x[:, 1:])
        with pytest.raises(ValueError, match=r"x must have shape \(..., features\), got a scalar"):
            run(x[0, 0])
    net(x)
    with pytest.raises(TypeError, match="grad_output is float64 but the network is float32"):
        net.backward(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"grad_output must have shape \(2, 4\) like the output, got \(2, 5\)"):
        net.backward(x)


# Gradients


@EVERY_ACTIVATION
def test_gradients_are_those_of_central_differences(case, backend, rng):
    """Through whole networks with each activation first, behind a product, behind another activation, and last."""
    layers = [case[0](**case[2]) for _ in range(4)]
    net = nn.Sequential(
        layers[0], nn.Linear(3, 5), layers[1], nn.Linear(5, 4), nn.Tanh(), layers[2], nn.Linear(4, 3), layers[3],
        seed=2, dtype="float64",
    )  # fmt: skip
    net.parameters().data[...] *= 2
    assert_network_gradients(net, draw(rng, (3, 3)), rng)


def test_gradients_add_up_until_zero_grad(backend, rng):
    net, x = make_network("float64"), draw(rng, (6, 5))
    optimizer, gradients = optim.SGD(net.parameters()), []
    for zero_grad in (net.zero_grad, optimizer.zero_grad):
        for _ in range(2):
            net(x)
            net.backward(np.ones((6, 4)) * x[:, :4])
            gradients.append(net.parameters().grad.copy())
        zero_grad()
        assert not net.parameters().grad.any()
    assert gradients[0].any()
    assert_same_bits(gradients[2], gradients[0])
    assert_same_bits(gradients[3], gradients[1])
    np.testing.assert_allclose(gradients[1], 2 * gradients[0], rtol=1e-12, atol=1e-14)


def test_backward_needs_a_call_in_training_mode(rng):
    net, x = make_network(), draw(rng, (6, 5), "float32")
    net.predict(x)
    net.eval()(x)
    with pytest.raises(RuntimeError, match=r"backward needs a call of the network in training mode before it"):
        net.backward(np.ones((6, 4), "float32"))


def test_backward_remembers_its_own_input(backend, rng):
    """Whatever happens to x, to the output and in inference between the two passes."""
    net, x = make_network(), draw(rng, (6, 5), "float32")
    upstream = draw(rng, (6, 4), "float32")
    results = []
    for meddle in (False, True):
        net.zero_grad()
        given = x.copy()
        y, seen = net(given), upstream.copy()
        if meddle:
            given[...], y[...] = np.nan, np.nan
            net.predict(draw(rng, (600, 5), "float32"))
            net.eval()(x[:2])
            net.train()
        results.append((net.backward(seen), net.parameters().grad.copy()))
        assert_same_bits(seen, upstream)
    for plain, meddled in zip(*results, strict=True):
        assert_same_bits(meddled, plain)


def test_both_backends_agree(rng):
    x, upstream = draw(rng, (9, 5)), draw(rng, (9, 4))

    def run():
        net = make_network("float64", p=0.4)
        return net(x), net.backward(upstream), net.parameters().grad

    for native, reference in zip(*in_both_backends(run), strict=True):
        np.testing.assert_allclose(native, reference, rtol=1e-11, atol=1e-13)


def test_a_network_can_change_backends_between_runs(rng):
    net, x = make_network("float64"), draw(rng, (9, 5))
    y = net(x)
    with fastnn.use_backend("reference"):
        np.testing.assert_allclose(net(x), y, rtol=1e-11)
    assert_same_bits(net(x), y)


# Programs


def sections_of(text):
    return [line[:-1] for line in text.splitlines() if line.endswith(":")]


def test_a_program_lists_its_operations():
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 10), seed=0)
    text = str(net.compile(batch_size=32))
    assert text.startswith("Program for 32 rows, float32: ")
    for expected in ("0 Linear + 1 ReLU", "64 -> 128", "2 Dropout", "128 -> 10", "linear_backward"):
        assert expected in text
    assert sections_of(text) == ["forward", "backward"]
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    trainer.step(np.ones((4, 64), "float32"), np.arange(4))
    step = trainer.compile(batch_size=4)
    assert sections_of(str(step)) == ["forward", "loss", "backward", "update"]
    assert "CrossEntropyLoss + gradient" in str(step)
    assert "Adam, all parameters at once" in str(step)


def test_the_gradient_of_an_activation_is_part_of_the_product_behind_it():
    program = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8)).compile(4)
    start, stop = program.sections["backward"]
    kinds = [operation.kind for operation in program.operations[start:stop]]
    assert kinds == ["linear_backward", "linear_backward", "copy"]
    assert program.operations[start].label == "2 Linear + gradient of 1 ReLU"
    assert program.operations[start].flops(1) == 2 * 2 * 8 * 8
    assert program.workspace > 0


def test_compile_needs_the_number_of_features():
    net = nn.Sequential(nn.Tanh())
    with pytest.raises(ValueError, match="in_features must be given: this network takes any number of features"):
        net.compile()
    assert net.compile(4, in_features=3).n_out == 3
    for wrong in (0, -1):
        with pytest.raises(ValueError, match=f"batch_size must be at least 1, got {wrong}"):
            net.compile(wrong, in_features=3)


def test_programs_grow_with_the_batch(rng):
    """One is kept, and made anew only for more rows."""
    net, x = make_network(), draw(rng, (50, 5), "float32")
    small = net.compile(batch_size=10)
    assert net.compile(batch_size=7) is small
    y = net(x)
    large = net.compile(batch_size=8)
    assert large is not small
    assert large.batch_size == 50
    assert_same_bits(net(x[:3]), y[:3])
    assert net.compile(batch_size=50) is large
    trainer = fastnn.Trainer(net, nn.NLLLoss(), optim.SGD(net.parameters(), lr=0.0))
    labels = np.arange(50) % 4
    losses = [trainer.step(x[:rows], labels[:rows]) for rows in (3, 50, 3)]
    expected = [F.nll_loss(y[:rows], labels[:rows]) for rows in (3, 50, 3)]
    np.testing.assert_allclose(losses, expected, rtol=1e-6)


# The same bits


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


# The parameters of a network


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


def test_a_nested_network_takes_the_dtype_of_the_outer_one(rng):
    net = nn.Sequential(nn.Sequential(nn.Linear(3, 4)), nn.Tanh(), dtype="float64")
    x = draw(rng, (2, 3))
    assert_same_bits(F.tanh(net[0](x)), net(x))
    with pytest.raises(TypeError, match="x is float32 but the network is float64"):
        net[0](x.astype("float32"))


def test_state_dict_round_trip(rng):
    net, other = make_nested(), make_nested()
    x = draw(rng, (4, 3), "float32")
    other.parameters().data[...] = 0
    state = net.state_dict()
    assert list(state) == NESTED_NAMES
    before = net.predict(x)
    other.load_state_dict(state)
    assert_same_bits(other.predict(x), before)
    net.parameters().data[...] = 0
    assert_same_bits(state["2.bias"], other["2.bias"])
    assert state["2.bias"].any()


BAD_STATES = [
    (lambda state: state.pop("2.bias"), ValueError, r"network: missing \['2.bias'\]$"),
    (lambda state: state.update({"9.bias": np.ones(2)}), ValueError, r"network: unexpected \['9.bias'\]$"),
    (
        lambda state: state.update({"2.bias": np.ones(3, "float32")}),
        ValueError,
        r"2.bias has shape \(3,\), in this network \(2,\)",
    ),
    (lambda state: state.update({"2.bias": np.ones(2)}), TypeError, "2.bias is float64 but in this network float32"),
    (lambda state: state.update({"2.bias": "zeros"}), TypeError, "2.bias must be"),
]


@pytest.mark.parametrize(("spoil", "error", "message"), BAD_STATES)
def test_a_state_that_does_not_fit_changes_nothing(spoil, error, message):
    net = make_nested()
    before, state = net.parameters().data.copy(), {name: array + 1 for name, array in net.state_dict().items()}
    spoil(state)
    with pytest.raises(error, match=message):
        net.load_state_dict(state)
    assert_same_bits(net.parameters().data, before)


def test_a_layer_stands_in_one_place():
    layer, net = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="layer 1 is layer 0 again: each layer can stand in a network once"):
        nn.Sequential(layer, layer)
    nn.Sequential(layer, net)
    for layers in ([layer], [nn.ReLU(), net], [net[0]]):
        with pytest.raises(ValueError, match="is part of another network already"):
            nn.Sequential(*layers)
    with pytest.raises(ValueError, match=r"layer 1, Linear\(.*\), takes 4 features but gets 3"):
        nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 1))
    with pytest.raises(TypeError, match=r"layer 0 must be a Module, got type: write ReLU\(\)"):
        nn.Sequential(nn.ReLU)


def test_repr_shows_arguments_and_counts():
    net = nn.Sequential(nn.Linear(2, 600, bias=False), nn.LeakyReLU(0.1), nn.Sequential(nn.GELU("tanh"), nn.Dropout()))
    assert repr(net).splitlines() == [
        "Sequential(",
        "  (0): Linear(in_features=2, out_features=600, bias=False)         1,200",
        "  (1): LeakyReLU(negative_slope=0.1)",
        "  (2.0): GELU(approximate='tanh')",
        "  (2.1): Dropout(p=0.5)",
        ")  1,200 parameters, float32",
    ]
    assert repr(net.parameters()) == "Parameters(1,200 values in 1 arrays, float32)"
    assert [repr(layer) for layer in (nn.ReLU(), nn.Softmax(temperature=2), nn.Hardtanh())] == [
        "ReLU()",
        "Softmax(temperature=2)",
        "Hardtanh(min_val=-1, max_val=1)",
    ]


def test_threads_may_share_a_network_for_predictions():
    net = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 3), seed=0)
    x = np.random.default_rng(0).normal(size=(300, 8)).astype("float32")
    expected = net.predict(x).tobytes()
    with ThreadPoolExecutor(4) as pool:
        assert all(bits == expected for bits in pool.map(lambda _: net.predict(x).tobytes(), range(200)))


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_backward_needs_a_call_for_each(backend):
    """The gradients of one call are not added twice; an error does not use it up."""
    x = np.ones((2, 3), "float32")
    with fastnn.use_backend(backend):
        for module in (nn.Sequential(nn.Linear(3, 2), nn.Tanh(), seed=0), nn.Linear(3, 2), nn.Tanh()):
            out = module(x)
            with pytest.raises(ValueError, match="grad_output must have shape"):
                module.backward(np.ones((5, 5), "float32"))
            module.backward(out)
            with pytest.raises(
                RuntimeError, match="backward needs a call of the network in training mode before it, one"
            ):
                module.backward(out)
            module(x)
            module.backward(out)


def test_weights_of_pytorch_are_transposed_on_request():
    """Also square ones, which look alike; tables of an Embedding and weights of norms are not."""
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3), nn.Linear(3, 2), seed=0)
    theirs = {
        "0.weight": rng.standard_normal((3, 3)).astype("f"),
        "0.bias": rng.standard_normal(3).astype("f"),
        "1.weight": rng.standard_normal(3).astype("f"),
        "1.bias": rng.standard_normal(3).astype("f"),
        "2.weight": rng.standard_normal((2, 3)).astype("f"),
        "2.bias": rng.standard_normal(2).astype("f"),
    }
    before = net.state_dict()
    with pytest.raises(ValueError, match=r'2.weight has shape \(2, 3\).*its transpose: PyTorch.*layout="torch"'):
        net.load_state_dict(theirs)
    with pytest.raises(ValueError, match="layout must be one of 'fastnn', 'torch', got 'keras'"):
        net.load_state_dict(theirs, layout="keras")
    assert all(np.array_equal(value, before[name]) for name, value in net.state_dict().items())
    net.load_state_dict(theirs, layout="torch")
    x = rng.standard_normal((4, 3)).astype("f")
    h = x @ theirs["0.weight"].T + theirs["0.bias"]
    h = (h - h.mean(1, keepdims=True)) / np.sqrt(h.var(1, keepdims=True) + 1e-5) * theirs["1.weight"] + theirs["1.bias"]
    np.testing.assert_allclose(net.predict(x), h @ theirs["2.weight"].T + theirs["2.bias"], rtol=1e-4, atol=1e-5)
    table = nn.Sequential(nn.Embedding(3, 3), seed=0)
    table.load_state_dict({"0.weight": theirs["0.weight"]}, layout="torch")
    assert np.array_equal(table["0.weight"], theirs["0.weight"])
