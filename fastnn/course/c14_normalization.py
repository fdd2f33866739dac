# %% [markdown]
# # 14. Batch norm and layer norm
#
# While a network learns, what a layer gets changes with every layer before it. Normalization gives each layer
# numbers of mean 0 and variance 1, then a scale and a shift that are learnt. *Batch norm* takes mean and
# variance of each unit over the batch, and in use the running averages of them; *layer norm* of all units of
# each sample, and needs no batch.
#
# Eight layers whose weights are much too small at the start. With either normalization the network learns at
# once all the same; without it the first epochs pass before anything arrives at its end.

# %%
import numpy as np

import fastnn
from fastnn import nn, optim, viz

X, y = fastnn.data.load_digits()
X = fastnn.data.standardize(X)
small = nn.init.Normal(std=0.02)


def make(norm: type[nn.Module] | None) -> fastnn.Trainer:
    layers: list[nn.Module] = []
    for _ in range(8):
        layers += [nn.Linear(64, 64, weight_init=small), *([] if norm is None else [norm(64)]), nn.ReLU()]  # type: ignore[call-arg]
    net = nn.Sequential(*layers, nn.Linear(64, 10), seed=0)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=1e-3))


norms = {"none": None, "batch norm": nn.BatchNorm1d, "layer norm": nn.LayerNorm}
trainers = {name: make(norm) for name, norm in norms.items()}
spreads = {}
for name, trainer in trainers.items():
    kept = [k for k, layer in enumerate(trainer.net.layers) if isinstance(layer, nn.ReLU)]
    outputs = trainer.net.activations(X[:256], [str(k) for k in kept])
    trainer.fit(X[:1400], y[:1400], epochs=6, seed=0, progress=False)
    after = trainer.net.activations(X[:256], [str(k) for k in kept])
    spreads[name] = [float(after[str(k)].std()) for k in kept]
    print(f"{name:<11} accuracy on other digits {trainer.evaluate(X[1400:], y[1400:])['accuracy']:.0%}")

figure, ax = viz.subplots()
for (name, values), marker in zip(spreads.items(), "os^", strict=True):
    ax.semilogy(range(1, 9), values, marker=marker, label=name)
ax.set(xlabel="layer", ylabel="standard deviation of its outputs", title="the signal after 6 epochs")
ax.legend(labelcolor="linecolor", frameon=False)
viz.history(trainers, ["loss", "accuracy"])

# %% [markdown]
# In use, batch norm is an affine map of each unit, so it can be made part of the Linear before it:
# `net.fold()`.

# %%
net = trainers["batch norm"].net
folded = net.fold()
difference = float(np.abs(folded.predict(X) - net.predict(X)).max())
print(f"{len(net.layers)} layers, folded {len(folded.layers)}; their outputs differ by {difference:.0e}")

# %%
accuracy = {name: trainer.evaluate(X[1400:], y[1400:])["accuracy"] for name, trainer in trainers.items()}
numbers = {"accuracy": accuracy, "spreads": spreads, "difference": difference}
