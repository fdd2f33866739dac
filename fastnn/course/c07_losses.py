# %% [markdown]
# # 7. Losses, and what an outlier does
#
# MAE, the mean of |error|, and MSE, the mean of its square, ask for different answers: of a constant, the first
# is best at the median of the targets, the second at their mean. One wrong target moves a mean as far as it
# likes, and a median hardly. Huber's loss is the square near 0 and the absolute value beyond. For classes the
# losses are cross-entropies: minus the logarithm of the probability of what was right.

# %%
import numpy as np

import fastnn
from fastnn import nn, optim, viz

figure, data = viz.losses(outlier=8.0, return_data=True)

# %% [markdown]
# The same with a line: 40 points around y = 2 x + 1, of which three are wrong. One Linear is trained with each
# loss.

# %%
rng = np.random.default_rng(0)
x = np.linspace(-1, 1, 40)[:, None]
y = 2 * x + 1 + rng.normal(0, 0.1, x.shape)
y[[30, 35, 38]] -= 12
slopes = {}
figure, ax = viz.subplots()
ax.plot(x, y, "o", color="grey", label="targets")
for name, loss in {"MAE": nn.L1Loss(), "MSE": nn.MSELoss(), "Huber": nn.HuberLoss()}.items():
    net = nn.Sequential(nn.Linear(1, 1), seed=0, dtype="float64")
    trainer = fastnn.Trainer(net, loss, optim.Adam(net.parameters(), lr=0.05))
    trainer.fit(x, y, epochs=400, batch_size=None, progress=False)
    slopes[name] = float(net["0.weight"][0, 0])
    ax.plot(x, net.predict(x), label=f"{name}: slope {slopes[name]:.2f}")
    print(f"{name:<6} slope {slopes[name]:.2f}, intercept {float(net['0.bias'][0]):.2f}")
ax.set(xlabel="x", ylabel="y", title="lines through points of y = 2 x + 1, three of them wrong")
ax.legend(labelcolor="linecolor", frameon=False)

# %%
numbers = {"best": data["best"], "slopes": slopes}
