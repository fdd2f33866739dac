# %% [markdown]
# # 5. Dead units
#
# The slope of ReLU is 0 below 0. A unit whose bias has been pushed so far down that its input is negative for
# every sample gives 0 everywhere and gets the gradient 0: nothing will ever bring it back. A learning rate that
# is too large does that in the first epochs. Leaky ReLU and ELU have a slope below 0, and recover.
#
# Three networks from the same start, with the same far too large rate; the share of dead units is counted after
# each epoch.

# %%
import fastnn
from fastnn import nn, optim, viz

X, y = fastnn.data.load_digits()
X = fastnn.data.standardize(X)
activations = {"ReLU": nn.ReLU, "Leaky ReLU": lambda: nn.LeakyReLU(0.1), "ELU": nn.ELU}
records, trainers = {}, {}
for name, activation in activations.items():
    net = nn.Sequential(nn.Linear(64, 64), activation(), nn.Linear(64, 64), activation(), nn.Linear(64, 10), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.1))
    recorder = viz.HealthRecorder(X[:600], y[:600])
    trainer.fit(X[:1200], y[:1200], epochs=10, seed=0, callbacks=[recorder], progress=False)
    records[name], trainers[name] = recorder, trainer

# %% [markdown]
# Over the epochs, for ReLU: the second layer dies first, and what is dead stays dead.

# %%
figure, data = viz.health(records["ReLU"], return_data=True)
dead = {name: [layer.dead for layer in list(one.records.values())[-1].layers[:2]] for name, one in records.items()}
accuracy = {name: trainer.evaluate(X[1200:], y[1200:])["accuracy"] for name, trainer in trainers.items()}
for name, shares in dead.items():
    print(f"{name:<10} dead units {shares[0]:.0%} and {shares[1]:.0%}, accuracy on other digits {accuracy[name]:.0%}")
viz.history(trainers, ["accuracy"])

# %%
over_epochs = data["dead"][:, 1]
numbers = {"dead": dead, "accuracy": accuracy, "over_epochs": over_epochs}
