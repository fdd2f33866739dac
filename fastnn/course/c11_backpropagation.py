# %% [markdown]
# # 11. Backpropagation, with all its numbers
#
# Two inputs, two hidden units, two outputs; sigmoid everywhere, no biases, E = sum of (target - output)^2 / 2.
# The inputs are 0.1 and 0.2, the targets 0.4 and 0.6, and the learning rate is 0.5.
#
# Forward: each unit adds up its inputs times their weights, z, and gives h = sigmoid(z). Backward: dE/dh of an
# output is output - target; times the slope h (1 - h) it is dE/dz; times the input of a weight it is dE/dw. A
# hidden unit gets dE/dh from all units behind it, through their weights.

# %%
import numpy as np

import fastnn
from fastnn import functional as F
from fastnn import nn, optim, viz

figure, data = viz.backpropagation(return_data=True)
print(f"E = {data['loss']:.8f}; dE/dw of the first weight of the last layer {data['2', 'grad_weight'][0, 0]:.8f}, "
      f"which becomes {data['2', 'new_weight'][0, 0]:.8f}")  # fmt: skip

# %% [markdown]
# The same by hand, with the functions of the package:

# %%
x, target = np.array([[0.1, 0.2]]), np.array([[0.4, 0.6]])
W1, W2 = np.array([[0.3, 0.4], [0.25, 0.35]]), np.array([[0.45, 0.7], [0.4, 0.6]])
h = F.sigmoid(x @ W1)
output = F.sigmoid(h @ W2)
grad_z2 = (output - target) * output * (1 - output)
grad_W2 = h.T @ grad_z2
grad_z1 = (grad_z2 @ W2.T) * h * (1 - h)
grad_W1 = x.T @ grad_z1
by_hand = [W1 - 0.5 * grad_W1, W2 - 0.5 * grad_W2]
difference = max(float(np.abs(by_hand[i] - data[name, "new_weight"]).max()) for i, name in enumerate(("0", "2")))
print(f"by hand and by the network: the new weights differ by {difference:.0e}")

# %% [markdown]
# Many such steps, by the trainer: the error falls until the outputs are what they should be.

# %%
first_layer, second_layer = (nn.Linear(2, 2, bias=False, weight_init=W) for W in (W1, W2))
net = nn.Sequential(first_layer, nn.Sigmoid(), second_layer, nn.Sigmoid(), dtype="float64")


def half_squared_error(y_pred: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    return 0.5 * float(((y_pred - y) ** 2).sum()), y_pred - y


trainer = fastnn.Trainer(net, half_squared_error, optim.SGD(net.parameters(), lr=0.5))
first = trainer.fit(x, target, epochs=1, batch_size=1, progress=False)
new_weights = [net["0.weight"].copy(), net["2.weight"].copy()]
trainer.fit(x, target, epochs=999, batch_size=1, progress=False)
viz.history(trainer, ["loss"], log=True)
print(f"after 1000 steps E = {trainer.history['loss'][-1]:.1e}, outputs {net.predict(x)[0].round(4).tolist()}")

# %%
numbers = {
    "loss": data["loss"], "grad": data["2", "grad_weight"][0, 0], "new": data["2", "new_weight"][0, 0],
    "difference": difference, "first": first["loss"][0], "last": trainer.history["loss"][-1],
    "same": max(float(np.abs(a - b).max()) for a, b in zip(new_weights, by_hand, strict=True)),
}  # fmt: skip
