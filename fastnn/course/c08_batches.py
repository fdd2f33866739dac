# %% [markdown]
# # 8. All samples, one sample, or a few
#
# Gradient descent needs the gradient of the loss over all samples. *Batch* gradient descent computes it for
# every step: a smooth way, and one step an epoch. *Stochastic* gradient descent takes one sample for each step:
# many quick steps in directions that are right on average. *Mini-batches* are between the two, and what
# processors are good at.
#
# Three runs from one start, each for 30 epochs.

# %%
import fastnn
from fastnn import nn, optim, viz

X, y = fastnn.data.make_moons(256, noise=0.2, seed=0)
sizes = {"batch (256)": None, "mini-batch (16)": 16, "stochastic (1)": 1}
trainers, recorders, seconds = {}, {}, {}
for name, size in sizes.items():
    net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2), seed=0)
    trainers[name] = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.05))
    recorders[name] = viz.Recorder(every=1 if size is None else max(1, 64 // size))
    history = trainers[name].fit(X, y, epochs=30, batch_size=size, seed=0, callbacks=[recorders[name]], progress=False)
    seconds[name] = sum(history["seconds"])
    print(f"{name:<16} {trainers[name].optimizer.step_count[0]:>5} steps, loss {history['loss'][-1]:.3f}")

# %% [markdown]
# By epochs, the more steps the faster. On the landscape of the loss: batch gradient descent goes straight and
# comes not far, the others wander, and arrive.

# %%
viz.history(trainers, ["loss", "accuracy"])
viz.loss_landscape(trainers["stochastic (1)"], X, y, paths=recorders)

# %% [markdown]
# How much a path wanders: its length divided by the distance between its ends.

# %%
import numpy as np


def wandering(recorder: viz.Recorder) -> float:
    path = recorder.parameters.astype("float64")
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum() / np.linalg.norm(path[-1] - path[0]))


length = {name: wandering(recorder) for name, recorder in recorders.items()}
for name, value in length.items():
    print(f"{name:<16} goes {value:.2f} times the distance")

# %%
numbers = {
    "loss": {name: trainer.history["loss"][-1] for name, trainer in trainers.items()},
    "steps": {name: int(trainer.optimizer.step_count[0]) for name, trainer in trainers.items()},
    "length": length,
}
