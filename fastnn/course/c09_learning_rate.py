# %% [markdown]
# # 9. The learning rate, and the start
#
# Gradient descent steps by `-lr` times the gradient. In a ravine, fifteen times steeper across than along, a
# rate that is too small hardly moves along it, and one that is too large overshoots across it, farther each
# time.

# %%
import numpy as np

import fastnn
from fastnn import nn, optim, viz

figure, walked = viz.learning_rates((0.004, 0.1, 0.134), return_data=True)
for rate, (_, values) in walked.items():
    print(f"lr = {rate:g}: height {values[0]:.1f}, after 30 steps {values[-1]:.3g}")

# %% [markdown]
# Where a surface has two valleys, the start decides which one is found. Gradient descent never climbs, so it
# stays in a local minimum; momentum may roll through.

# %%
starts = {"from (-0.5, 1)": (-0.5, 1.0), "from (1, 1)": (1.0, 1.0), "from (3.2, 1.2)": (3.2, 1.2)}
rules = dict.fromkeys(starts, lambda p: optim.SGD(p, lr=0.1)) | {
    "from (3.2, 1.2), momentum": lambda p: optim.SGD(p, lr=0.03, momentum=0.9)
}
starts["from (3.2, 1.2), momentum"] = (3.2, 1.2)
ax, data = viz.optimizer_paths("valleys", rules, start=starts, return_data=True)
ends = {name: float(data[name][0][-1][0]) for name in rules}
for name, x in ends.items():
    print(f"{name}: ends at x = {x:.2f}, height {data[name][1][-1]:.2f}")

# %% [markdown]
# The same on a network: a range test tries rates from tiny to far too large on a copy, and suggests one.

# %%
X, y = fastnn.data.make_spirals(400, noise=0.02, seed=0)
X /= np.abs(X).max()


def make(lr: float) -> fastnn.Trainer:
    net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2), seed=0)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=lr))


result = make(1e-3).find_lr(X, y)
viz.lr_finder(result)
suggested = result.suggestion()
trainers = {f"lr = {lr:.2g}": make(lr) for lr in (1e-5, suggested, 1.0)}
for name, trainer in trainers.items():
    trainer.fit(X, y, epochs=100, seed=0, progress=False)
    print(f"{name}: loss {trainer.history['loss'][-1]:.3f}")
viz.history(trainers, ["loss"], log=True)

# %%
losses = [trainer.history["loss"][-1] for trainer in trainers.values()]
numbers = {"heights": [values[-1] for _, values in walked.values()], "ends": list(ends.values()), "losses": losses}
