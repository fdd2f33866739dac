# %% [markdown]
# # 13. Against learning by heart: dropout, L1, L2
#
# A large network and few noisy samples: it learns them by heart, its boundary winds around single points, and
# it does worse on others. *L2* adds a penalty on the squares of the weights, which keeps them small and the
# boundary smooth; *L1* on their absolute values, which brings many weights to nearly 0. *Dropout* leaves out
# units at random in training, so that no unit can rely on another.

# %%
import numpy as np

import fastnn
from fastnn import nn, optim, viz

X, y = fastnn.data.make_moons(60, noise=0.35, seed=0)
X_other, y_other = fastnn.data.make_moons(2000, noise=0.35, seed=1)
settings = {"none": {}, "L2": {"l2": 0.01}, "L1": {"l1": 0.003}, "dropout": {"dropout": 0.4}}


def train(l1: float = 0.0, l2: float = 0.0, dropout: float = 0.0) -> fastnn.Trainer:
    layers: list[nn.Module] = []
    for width in (2, 64):
        layers += [nn.Linear(width, 64), nn.ReLU(), nn.Dropout(dropout)]
    net = nn.Sequential(*layers, nn.Linear(64, 2), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.01), l1=l1, l2=l2)
    trainer.fit(X, y, epochs=400, batch_size=20, seed=0, validation_data=(X_other, y_other), validation_freq=10,
                progress=False)  # fmt: skip
    return trainer


trainers = {name: train(**options) for name, options in settings.items()}
_, axes = viz.subplots(2, 2, size=(9, 7))
found = {}
for ax, (name, trainer) in zip(axes.flat, trainers.items(), strict=True):
    weights = np.concatenate([w.ravel() for _, w in trainer.net.named_parameters() if w.ndim == 2])
    found[name] = {
        "train": trainer.evaluate(X, y)["loss"],
        "other": trainer.evaluate(X_other, y_other)["loss"],
        "size": float(np.sqrt((weights**2).mean())),
        "nearly 0": float((np.abs(weights) < 0.01).mean()),
    }
    viz.decision_boundary(trainer, X, y, ax=ax)
    ax.set_title(f"{name}: loss {found[name]['train']:.2f}, on others {found[name]['other']:.2f}")
    print(f"{name:<8}" + "".join(f" {key} {value:.3f}" for key, value in found[name].items()))

# %% [markdown]
# The losses of validation tell it: without regularization they rise while those of training go to 0.

# %%
viz.history(trainers["none"], ["loss"])
viz.weights(trainers["L1"])

# %%
numbers = found
