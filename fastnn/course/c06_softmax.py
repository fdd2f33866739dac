# %% [markdown]
# # 6. Softmax, temperature and entropy
#
# The last layer of a classifier turns numbers, logits, into probabilities:
#
#     p_i = exp(x_i / T) / sum_j exp(x_j / T)
#
# They add up to 1 and keep the order of the logits at every temperature T. A low T leaves only the largest, a
# high one makes all alike. The entropy `-sum p_i log p_i` measures that: it is 0 where one class is certain,
# and log 10 = 2.30 where ten classes are equally likely.

# %%
import numpy as np

import fastnn
from fastnn import functional as F
from fastnn import nn, optim, viz

logits = [-3.5, -2.3, -2.3, 2.5, -2.8, -1.8, 2.14, -0.4, -1.2, -2.7]
figure, data = viz.softmax_temperature(logits, (0.01, 1, 5), return_data=True)
for t, entropy in zip(data["temperatures"], data["entropies"], strict=True):
    print(f"T = {t:g}: entropy {entropy:.3g}")

# %% [markdown]
# A temperature that is learnt after training, on samples that were not trained on, makes the probabilities of
# an overconfident network honest. It changes no prediction. In the pictures the line of a calibrated model is
# the diagonal.

# %%
X, y = fastnn.data.make_moons(700, noise=0.35, seed=0)
net = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2), seed=0)
trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.01))
trainer.fit(X[:100], y[:100], epochs=150, seed=0, progress=False)
scale = nn.Temperature()
of_logits = fastnn.Trainer(nn.Sequential(scale), nn.CrossEntropyLoss(), optim.Adam(scale.parameters(), lr=0.05))
of_logits.fit(net.predict(X[100:400]), y[100:400], epochs=60, batch_size=None, seed=0, progress=False)
temperature = 1 / (float(of_logits.net.predict(np.array([[1.0, 0.0]], "float32"))[0, 0]))
print(f"learnt temperature {temperature:.2f}")
_, before = viz.calibration(trainer, X[400:], y[400:], return_data=True)


def calibrated(x: np.ndarray) -> np.ndarray:
    return F.softmax(net.predict(x), temperature=temperature)


_, after = viz.calibration(calibrated, X[400:], y[400:], return_data=True)
print(f"expected calibration error {before['error']:.3f}, then {after['error']:.3f}")

# %%
numbers = {
    "entropies": data["entropies"], "order": data["probabilities"].argmax(1), "temperature": temperature,
    "errors": [before["error"], after["error"]],
}  # fmt: skip
