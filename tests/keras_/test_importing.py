"""Networks made of Keras models compute and train as those."""

import os

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim

os.environ.setdefault("KERAS_BACKEND", "jax")
try:
    import keras
except ImportError as error:
    pytest.skip(f"Keras is not installed, or has no backend: {error}", allow_module_level=True)
from keras import layers as K

from fastnn.keras import from_keras

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of Keras on JAX
LAYERS = {
    **{f"activation {name}": lambda name=name: K.Dense(4, activation=name) for name in (
        "linear", "relu", "sigmoid", "tanh", "softmax", "log_softmax", "elu", "selu", "silu", "swish", "gelu",
        "softplus", "softsign", "hard_sigmoid", "hard_silu", "mish", "leaky_relu", "relu6", "celu", "log_sigmoid",
        "hard_tanh", "soft_shrink", "hard_shrink", "tanh_shrink", "exponential")},
    "no bias": lambda: K.Dense(4, use_bias=False),
    "Activation": lambda: K.Activation("gelu"),
    "ReLU": lambda: K.ReLU(),
    "ReLU to 2": lambda: K.ReLU(max_value=2.0),
    "ReLU with a slope": lambda: K.ReLU(negative_slope=0.1),
    "LeakyReLU": lambda: K.LeakyReLU(0.1),
    "ELU": lambda: K.ELU(0.5),
    "PReLU": lambda: K.PReLU(alpha_initializer="uniform"),
    "Softmax": lambda: K.Softmax(),
    "BatchNormalization": lambda: K.BatchNormalization(gamma_initializer="uniform", moving_mean_initializer="uniform"),
    "BatchNormalization alone": lambda: K.BatchNormalization(center=False, scale=False),
    "LayerNormalization": lambda: K.LayerNormalization(gamma_initializer="uniform"),
    "LayerNormalization without": lambda: K.LayerNormalization(center=False),
    "RMSNormalization": lambda: K.RMSNormalization(),
    "Dropout": lambda: K.Dropout(0.5),
    "AlphaDropout": lambda: K.AlphaDropout(0.5),
    "GaussianDropout": lambda: K.GaussianDropout(0.5),
    "GaussianNoise": lambda: K.GaussianNoise(0.5),
    "Rescaling": lambda: K.Rescaling(0.5, 1.0),
    "Flatten": lambda: K.Flatten(),
    "Identity": lambda: K.Identity(),
}  # fmt: skip
X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


def close(a, b):
    np.testing.assert_allclose(a, keras.ops.convert_to_numpy(b), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.usefixtures("backend")
def test_a_layer_has_the_outputs_of_its_namesake(name):
    model = keras.Sequential([keras.Input((4,)), K.Dense(4), LAYERS[name](), K.Dense(2)])
    close(from_keras(model).predict(X), model(X, training=False))


def functional(width=4):
    shared = K.Dense(width, activation="tanh", name="shared")
    x = keras.Input((width,))
    h = shared(x)
    h = K.Add()([h, x, shared(h)])
    h = K.Concatenate()(
        [K.Multiply()([h, K.Dense(width, activation="sigmoid")(x)]), K.Average()([h, x]), -h * 2.0 + 1.0]
    )
    h = keras.ops.relu(h) - keras.ops.mean(h, axis=-1, keepdims=True)
    h = keras.Sequential([keras.Input((3 * width,)), K.Dense(3), K.LayerNormalization()])(h)
    return keras.Model(x, K.Subtract()([h, h[:, 0:1] * h]))


@pytest.mark.usefixtures("backend")
def test_functional_models_are_graphs():
    model = functional()
    net = from_keras(model)
    close(net.predict(X), model(X))
    assert isinstance(net, nn.GraphModule) and "shared" in net.layers
    outer = keras.Sequential([keras.Input((4,)), model, K.Dense(1)])
    close(from_keras(outer).predict(X), outer(X))


RULES = {
    "SGD": {"learning_rate": 0.1, "momentum": 0.9},
    "Adam": {"learning_rate": 0.01},
    "RMSprop": {"learning_rate": 0.01},
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("which", ["Sequential", "Functional"])
def test_ten_further_steps_are_on_the_same_path(rule, which):
    sequential = keras.Sequential([
        keras.Input((4,)), K.Dense(8, activation="gelu", kernel_regularizer=keras.regularizers.L2(0.01)), K.Dense(3)
    ])  # fmt: skip
    model = sequential if which == "Sequential" else functional()
    net = from_keras(model)
    y = np.random.default_rng(1).normal(size=(6, 3)).astype("float32")
    model.compile(optimizer=getattr(keras.optimizers, rule)(**RULES[rule]), loss="mse")
    options = {"lr": RULES[rule]["learning_rate"], "momentum": RULES[rule].get("momentum")}
    ours = getattr(optim, rule)(net.parameters(), compat="keras", **{k: v for k, v in options.items() if v is not None})
    trainer = fastnn.Trainer(net, nn.MSELoss(), ours)
    for _ in range(10):
        model.train_on_batch(X, y)
        trainer.step(X, y)
    np.testing.assert_allclose(net.predict(X), model.predict_on_batch(X), rtol=1e-4, atol=1e-4)


def test_settings_come_along():
    model = keras.Sequential([
        keras.Input((4,)),
        K.Dense(3, kernel_constraint="max_norm", kernel_regularizer=keras.regularizers.L1L2(0.01, 0.01)),
        K.BatchNormalization(),
    ])  # fmt: skip
    model.layers[1].trainable = False
    net = from_keras(model)
    assert net[0].max_norm == 2.0 and net[0].l1 == pytest.approx(0.01) and net[0].l2 == pytest.approx(0.02)
    assert net[1].frozen and not net[1].requires_grad and net[1].momentum == pytest.approx(0.01)


def test_embeddings_and_float64():
    model = keras.Sequential([keras.Input((2,)), K.Embedding(5, 3), K.Flatten(), K.Dense(2)])
    x = np.array([[1.0, 0.0], [4.0, 2.0]], "float32")
    close(from_keras(model).predict(x), model(x))


def test_what_fastnn_does_not_have_is_named():
    model = keras.Sequential([keras.Input((4, 2)), K.Conv1D(2, 2), K.LSTM(3), K.Dense(3, activation="sparsemax")])
    with pytest.raises(TypeError, match="fastnn does not have Conv1D, LSTM, the activation sparsemax"):
        from_keras(model)
    x = keras.Input((4,))
    with pytest.raises(TypeError, match="does not have the operation Sin"):
        from_keras(keras.Model(x, keras.ops.sin(x)))
    with pytest.raises(TypeError, match="1 inputs and 2 outputs"):
        from_keras(keras.Model(x, [K.Dense(1)(x), K.Dense(2)(x)]))
    with pytest.raises(TypeError, match="model must be a Sequential or Functional model of Keras, got list"):
        from_keras([])
    with pytest.raises(ValueError, match="not built"):
        from_keras(keras.Sequential([K.Dense(1)]))
