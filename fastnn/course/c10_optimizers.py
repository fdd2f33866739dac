# %% [markdown]
# # 10. Momentum, AdaGrad, RMSProp, Adam
#
# | rule | update |
# |---|---|
# | gradient descent | theta -= lr g |
# | momentum | v = alpha v + g; theta -= lr v |
# | AdaGrad | h += g g; theta -= lr g / sqrt(h) |
# | RMSProp | h = rho h + (1 - rho) g g; theta -= lr g / sqrt(h) |
# | Adam | both averages, corrected for their start at 0 |
#
# All over one ravine, from one start, by the optimizers of the package. Gradient descent zigzags; momentum
# swings through the minimum and back; those that divide by the size of past gradients go as fast along as
# across.

# %%
import numpy as np

import fastnn
from fastnn import nn, optim, viz

ax, data = viz.optimizer_paths("ravine", steps=80, return_data=True)
viz.optimizer_paths("rosenbrock", steps=300)

# %% [markdown]
# The height after each step:

# %%
rules = ["SGD", "momentum", "AdaGrad", "RMSProp", "Adam"]
figure, ax = viz.subplots()
for i, name in enumerate(rules):
    ax.semilogy(data[name][1], linestyle=("-", "--", "-.", ":", "-")[i], label=name)
ax.set(xlabel="step", ylabel="height", title="height over the ravine")
ax.legend(labelcolor="linecolor", frameon=False)
heights = {name: float(data[name][1][-1]) for name in rules}
for name, height in heights.items():
    print(f"{name:<10} height {height:.2g} after 80 steps")

# %% [markdown]
# AdaGrad adds up the squares of all gradients and divides by the root of that sum, which only grows: on an even
# slope its n-th step is lr / sqrt(n), until nothing moves. RMSProp forgets old gradients, so its steps keep
# their size.

# %%
steps = {}
for name, make in {
    "AdaGrad": lambda p: optim.Adagrad(p, lr=0.1),
    "RMSProp": lambda p: optim.RMSprop(p, lr=0.1, alpha=0.9),
}.items():
    point = np.zeros(1)
    optimizer, places = make([point]), [0.0]
    for _ in range(400):
        optimizer.step(grads=[np.ones(1)])
        places.append(float(point[0]))
    steps[name] = -np.diff(places)
    print(f"{name}: step 1 {steps[name][0]:.3f}, step 100 {steps[name][99]:.3f}, step 400 {steps[name][399]:.3f}")

# %% [markdown]
# And on a network: the ways of the rules over the landscape of its loss, all from the same start.

# %%
X, y = fastnn.data.make_moons(200, noise=0.2, seed=0)
recorders, losses = {}, {}
for name, make in {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "AdaGrad": lambda p: optim.Adagrad(p, lr=0.1),
    "RMSProp": lambda p: optim.RMSprop(p, lr=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.02),
}.items():
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), make(net.parameters()))
    recorders[name] = viz.Recorder(every=5)
    history = trainer.fit(X, y, epochs=60, seed=0, callbacks=[recorders[name]], progress=False)
    losses[name] = history["loss"][-1]
    print(f"{name:<10} loss {losses[name]:.3f}")
viz.loss_landscape(trainer, X, y, paths=recorders)

# %%
numbers = {"heights": heights, "steps": steps, "losses": losses}
