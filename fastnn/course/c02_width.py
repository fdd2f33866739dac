# %% [markdown]
# # 2. Two units fail where four succeed
#
# A disc within a ring: no straight line separates the two classes. Each unit of the first layer draws one line,
# and the layers after it can only bend what these lines make of the plane. Two lines cannot close around the
# disc, four can.
#
# Both networks have tanh, tanh and a sigmoid at the end, are trained by stochastic gradient descent on the mean
# squared error, and differ in the width of their first layer: 2-2-1 and 4-2-1 units.

# %%
import numpy as np

import fastnn
from fastnn import nn, optim, viz

X, y = fastnn.data.make_circles(200, factor=0.4, noise=0.05, seed=0)


def train(width: int, seed: int, epochs: int = 150) -> fastnn.Trainer:
    net = nn.Sequential(
        nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 2), nn.Tanh(), nn.Linear(2, 1), nn.Sigmoid(), seed=seed
    )
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1, momentum=0.9))
    trainer.fit(X, y, epochs=epochs, batch_size=10, seed=0, progress=False)
    return trainer


def accuracy(trainer: fastnn.Trainer) -> float:
    return float(((trainer.net.predict(X)[:, 0] > 0.5) == y).mean())


# %% [markdown]
# Twenty starts of each. One success could be luck, and one failure bad luck.

# %%
seeds = range(20)
trained = {width: [train(width, seed) for seed in seeds] for width in (2, 4)}
found = {width: np.array([accuracy(one) for one in runs]) for width, runs in trained.items()}
for width, values in found.items():
    solved = (values > 0.99).sum()
    print(f"{width}-2-1: accuracy {values.min():.2f} to {values.max():.2f}, {solved} of {len(values)} starts solve it")

# %% [markdown]
# The best 2-2-1 network and the best 4-2-1 network, and what their layers make of the plane. In the second row
# the classes come apart: after the second layer a straight line separates them, which is all that the last unit
# can draw.

# %%
best = {width: trained[width][int(values.argmax())] for width, values in found.items()}
_, axes = viz.subplots(1, 2, size=(10, 4.4))
for ax, (width, one) in zip(axes, best.items(), strict=True):
    viz.decision_boundary(one, X, y, ax=ax)
    ax.set_title(f"{width}-2-1: accuracy {found[width].max():.0%}")
for one in best.values():
    viz.warp_grid(one, X, y)
viz.units(best[4], X, y)

# %%
numbers = {"narrow": found[2], "wide": found[4]}
