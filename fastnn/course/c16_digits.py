# %% [markdown]
# # 16. Real digits, and the errors
#
# 1797 handwritten digits of 8 x 8 pixels. A network with one hidden layer and dropout reads them; a quarter was
# kept aside to see how well.

# %%
import numpy as np

import fastnn
from fastnn import nn, optim, viz

X, y = fastnn.data.load_digits()
X_train, X_test, y_train, y_test = fastnn.data.train_test_split(X, y, test_size=0.25, seed=0, stratify=y)
net = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.2), nn.Linear(96, 10), seed=0)
viz.network(net)
optimizer = optim.Adam(net.parameters(), lr=2e-3)
trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optimizer)
trainer.fit(X_train, y_train, epochs=40, seed=0, validation_data=(X_test, y_test), progress=False)
viz.history(trainer)
scores = trainer.evaluate(X_test, y_test)
print(f"accuracy on {len(X_test)} other digits {scores['accuracy']:.1%}")

# %% [markdown]
# Which digits are taken for which, whether its probabilities can be trusted, and the digits in the plane in
# which they vary most, with what the network says there.

# %%
viz.confusion_matrix(trainer, X_test, y_test)
_, calibration = viz.calibration(trainer, X_test, y_test, return_data=True)
viz.decision_boundary(trainer, X_test, y_test)

# %% [markdown]
# All its errors: what the digit is, and what the network took it for, with its probability. Some are hard for
# us too.

# %%
probability = np.exp(net.predict(X_test))
probability /= probability.sum(1, keepdims=True)
predicted = probability.argmax(1)
wrong = np.flatnonzero(predicted != y_test)
columns = min(6, max(2, len(wrong)))
rows = max(1, -(-len(wrong) // columns))
figure, axes = viz.subplots(rows, columns, size=(1.6 * columns, 1.9 * rows))
for ax in np.ravel(axes):
    ax.set_axis_off()
for ax, i in zip(np.ravel(axes), wrong, strict=False):
    ax.imshow(X_test[i].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"is {y_test[i]}, read as {predicted[i]}\nwith {probability[i].max():.0%}", fontsize=8)

# %% [markdown]
# What the first units look for, as pictures: strokes and holes at their places.

# %%
viz.weights(net, shape=(8, 8), most=24)

# %%
numbers = {"accuracy": scores["accuracy"], "errors": len(wrong), "calibration": calibration["error"]}
