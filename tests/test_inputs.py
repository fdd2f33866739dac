"""Inputs of networks: shapes, layouts, and tables whose named columns are remembered by training."""

import copy
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.layers import draw
from test_network import make_network

NAMES = ["age", "height", "weight"]
ROWS = np.random.default_rng(0).standard_normal((8, 3)).astype("float32")
Y = np.arange(8) % 2


class Frame:
    """What of a DataFrame is looked at."""

    def __init__(self, values, columns):
        self.values, self.columns = values, columns

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)

    def __len__(self):
        return len(self.values)


def make():
    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    return net, fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1))


@pytest.fixture(params=["fit", "step", "batches", "loaded", "copied", "pickled"])
def trained(request, tmp_path):
    net, trainer = make()
    frame = Frame(ROWS, NAMES)
    if request.param == "step":
        trainer.step(frame, Y)
    elif request.param == "batches":
        trainer.fit([(frame, Y)], progress=False)
    else:
        trainer.fit(frame, Y, progress=False)
    if request.param == "loaded":
        net.save(tmp_path / "net.safetensors")
        net = fastnn.load(tmp_path / "net.safetensors")
    elif request.param == "copied":
        net = copy.deepcopy(net)
    elif request.param == "pickled":
        net = pickle.loads(pickle.dumps(net))
    return net, fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1))


def test_the_same_columns_pass_and_so_do_plain_arrays(trained):
    net, trainer = trained
    assert net.feature_names == tuple(NAMES)
    expected = net.predict(ROWS)
    assert np.array_equal(net.predict(Frame(ROWS, NAMES)), expected)
    trainer.evaluate(Frame(ROWS, np.array(NAMES)), Y)
    trainer.evaluate(ROWS, Y)


def uses(net, trainer, frame):
    """Calls that read the frame."""
    return (
        lambda: net.predict(frame),
        lambda: net(frame),
        lambda: trainer.evaluate(frame, Y),
        lambda: trainer.step(frame, Y),
        lambda: trainer.fit(frame, Y, progress=False),
        lambda: trainer.fit(ROWS, Y, validation_data=(frame, Y), progress=False),
        lambda: trainer.fit([(frame, Y)], progress=False),
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["height", "age", "weight"], r"x has its columns in another order .* give x\[\['age', 'height', 'weight'\]\]"),
        (["age", "height", "mass"], r"x lacks \['weight'\] and has \['mass'\], other columns than"),
    ],
)
def test_other_columns_are_refused(trained, columns, message):
    net, trainer = trained
    before = net.state_dict()
    for use in uses(net, trainer, Frame(ROWS, columns)):
        with pytest.raises(ValueError, match=message):
            use()
    assert all(np.array_equal(value, before[name]) for name, value in net.state_dict().items())
    net.feature_names = None
    net.predict(Frame(ROWS, columns))


def test_numbers_as_names_mean_nothing():
    net, trainer = make()
    trainer.fit(Frame(ROWS, range(3)), Y, progress=False)
    assert net.feature_names is None


def test_names_in_a_file_are_checked(tmp_path):
    net, _ = make()
    for names, message in ((("a", "b"), "one for each of 3 features, got 2"), ((1, 2, 3), "must be a list of words")):
        net.feature_names = names
        net.save(tmp_path / "net.safetensors")
        with pytest.raises(fastnn.FileFormatError, match=message):
            fastnn.load(tmp_path / "net.safetensors")


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


def test_wrong_inputs_of_a_network():
    net, x = make_network(), np.ones((2, 5), "float32")
    for run in (net, net.predict):
        run(x)
        with pytest.raises(TypeError, match="x must be float32 or float64, got complex64"):
            run(x.astype("complex64"))
        with pytest.raises(ValueError, match="Linear: x has 4 features, this layer takes 5"):
            run(x[:, 1:])
        with pytest.raises(ValueError, match=r"x must have shape \(..., features\), got a scalar"):
            run(x[0, 0])
    net(x)
    with pytest.raises(TypeError, match="grad_output is float64 but the network is float32"):
        net.backward(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"grad_output must have shape \(2, 4\) like the output, got \(2, 5\)"):
        net.backward(x)
