# %% [markdown]
# # 12. How to start
#
# If all weights are 0, the units of a layer are alike, get the same gradient, and stay alike. Small random
# weights make the signal smaller with each layer until nothing is left; large ones make it explode. Xavier's
# rule keeps the spread through layers with tanh, and He's doubles the variance because ReLU cuts half of it
# away:
#
#     Xavier: var(w) = 2 / (fan_in + fan_out)          He: var(w) = 2 / fan_in

# %%
import warnings

import fastnn
from fastnn import nn, optim, viz

X, y = fastnn.data.load_digits()
X = fastnn.data.standardize(X)
rules = {
    "zeros": "zeros",
    "small (0.01)": nn.init.Normal(std=0.01),
    "large (0.5)": nn.init.Normal(std=0.5),
    "Xavier": "xavier_normal",
    "He": nn.init.KaimingNormal(nonlinearity="relu"),
}
DEPTH = 8


def make(rule: object) -> fastnn.Trainer:
    layers: list[nn.Module] = []
    for _ in range(DEPTH):
        layers += [nn.Linear(64, 64, weight_init=rule, bias_init="zeros"), nn.ReLU()]
    net = nn.Sequential(*layers, nn.Linear(64, 10, weight_init=rule, bias_init="zeros"), seed=0)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.02, momentum=0.9))


# %% [markdown]
# The spread of the outputs of eight layers of ReLU before training, and the loss after five epochs. ln 10 =
# 2.30 is the loss of a network that knows nothing.

# %%
spreads, losses, trainers = {}, {}, {}
for name, rule in rules.items():
    trainer = make(rule)
    spreads[name] = [layer.std for layer in trainer.health(X, y).layers[:-1]]
    with warnings.catch_warnings():  # a loss that is not finite, weights that are all 0: that is what is shown
        warnings.simplefilter("ignore", RuntimeWarning)
        history = trainer.fit(X, y, epochs=5, seed=0, progress=False)
    losses[name], trainers[name] = history["loss"][-1], trainer
    print(f"{name:<13} spread {spreads[name][0]:.2g} to {spreads[name][-1]:.2g}, loss {losses[name]:.2f}")

figure, ax = viz.subplots()
for (name, values), marker in zip(spreads.items(), "os^Dv", strict=True):
    if any(values):
        ax.semilogy(range(1, DEPTH + 1), values, marker=marker, label=name)
ax.set(xlabel="layer", ylabel="standard deviation of its outputs", title="the signal before training")
ax.legend(labelcolor="linecolor", frameon=False)
viz.history({name: trainers[name] for name in ("zeros", "small (0.01)", "Xavier", "He")}, ["loss"])

# %% [markdown]
# The health of the network that began with small weights says it too: the gradients vanish on the way.

# %%
viz.health(make(rules["small (0.01)"]).health(X, y))

# %%
numbers = {"spreads": spreads, "losses": losses}
