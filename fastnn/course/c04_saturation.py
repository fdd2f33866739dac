# %% [markdown]
# # 4. What is wrong with the sigmoid: saturation and zigzag
#
# Far from 0 a sigmoid is flat: the gradient that comes back through it is nearly 0, and what is before it stops
# learning. Here are networks of four layers of sigmoid, tanh and ReLU, started with small and with large
# weights. The slopes f' of their activations are looked at before any training: a gradient is multiplied by one
# for each layer on its way.

# %%
import warnings

import numpy as np

import fastnn
from fastnn import functional as F
from fastnn import nn, optim, viz

X, y = fastnn.data.load_digits()
X = fastnn.data.standardize(X[:500])
y = y[:500]


def deep(activation: type[nn.Module], std: float) -> fastnn.Trainer:
    layers: list[nn.Module] = []
    for i in range(4):
        width = 64 if i == 0 else 32
        layers += [nn.Linear(width, 32, weight_init=nn.init.Normal(std=std), bias_init="zeros"), activation()]
    net = nn.Sequential(*layers, nn.Linear(32, 10, weight_init=nn.init.Normal(std=std)), seed=0)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.01))


def slope_of(trainer: fastnn.Trainer) -> float:
    """The mean slope of the first activation."""
    z = trainer.net.activations(X, ["0"])["0"]
    name = type(trainer.net.layers[1]).__name__.lower()
    return float(F.derivative(name, z).mean())


saturated, slopes, accuracies = {}, {}, {}
for activation in (nn.Sigmoid, nn.Tanh, nn.ReLU):
    for std in (0.2, 2.0):
        trainer, key = deep(activation, std), (activation.__name__, std)
        saturated[key], slopes[key] = trainer.health(X, y).layers[0].saturated, slope_of(trainer)
        with warnings.catch_warnings():  # the loss of large weights may overflow: that is what is shown
            warnings.simplefilter("ignore", RuntimeWarning)
            trainer.fit(X, y, epochs=30, seed=0, progress=False)
        accuracies[key] = trainer.evaluate(X, y)["accuracy"]
        flat = "" if activation is nn.ReLU else f"{saturated[key]:.0%} saturated, "
        print(f"{key[0]:<8} weights of size {std}: {flat}mean slope {slopes[key]:.2f}, its fourth power "
              f"{slopes[key] ** 4:.0e}; accuracy after 30 epochs {accuracies[key]:.0%}")  # fmt: skip

# %% [markdown]
# The health of each layer of the sigmoids with large weights: most outputs are saturated.

# %%
viz.health(deep(nn.Sigmoid, 2.0).health(X, y))

# %% [markdown]
# The second complaint: all outputs of a sigmoid are positive. For one sample, the gradients of all weights into
# a unit behind it then have one sign: they can all grow or all shrink, and a direction in which one is to grow
# and another to shrink is reached by a zigzag only. tanh, whose outputs are around 0, allows both at once.
#
# Below, one linear unit with two inputs is trained sample by sample, once with inputs between 0 and 1, as a
# sigmoid gives them, once with the same inputs around 0. The weights that are looked for are 1 and -1.

# %%
rng = np.random.default_rng(0)
positive = rng.uniform(0, 1, (400, 2))
centred = 2 * positive - 1


def path(inputs: np.ndarray) -> np.ndarray:
    """The weights, step by step."""
    net = nn.Sequential(nn.Linear(2, 1, bias=False, weight_init=[[-1.0], [-0.5]]), dtype="float64", seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.3))
    weights = [net["0.weight"][:, 0].copy()]
    for x in inputs:
        trainer.step(x[None], np.array([[x[0] - x[1]]]))
        weights.append(net["0.weight"][:, 0].copy())
    return np.array(weights)


walked = {"inputs between 0 and 1": path(positive), "inputs around 0": path(centred)}

figure, ax = viz.subplots()
for marker, (name, weights) in zip("os", walked.items(), strict=True):
    ax.plot(*weights[:60].T, marker=marker, markersize=3, linewidth=1, label=name)
ax.plot(1, -1, "*", markersize=14, label="goal")
ax.set(xlabel="first weight", ylabel="second weight", title="60 steps from (-1, -0.5)")
ax.legend(labelcolor="linecolor", frameon=False)


def opposite(weights: np.ndarray) -> float:
    """The share of steps in which one weight grows and the other shrinks."""
    steps = np.diff(weights[:60], axis=0)
    return float((steps[:, 0] * steps[:, 1] < 0).mean())


apart = {name: opposite(weights) for name, weights in walked.items()}
missing = {name: float(np.linalg.norm(weights[60] - [1, -1])) for name, weights in walked.items()}
for name in walked:
    print(f"{name}: weights go opposite ways in {apart[name]:.0%} of the steps, {missing[name]:.2f} left to the goal")

# %%
numbers = {
    "saturated": saturated,
    "slopes": slopes,
    "accuracies": accuracies,
    "apart": list(apart.values()),
    "missing": list(missing.values()),
}
