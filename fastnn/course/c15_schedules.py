# %% [markdown]
# # 15. Schedules: a rate that changes
#
# At the beginning large steps are good, at the end they only shake the network around the minimum. A schedule
# makes the rate smaller on the way: in steps, along a cosine, exponentially; or lets it first grow, which keeps
# the first steps, whose gradients are the wildest, small.

# %%
import fastnn
from fastnn import nn, optim, viz

EPOCHS = 60
X, y = fastnn.data.make_spirals(500, noise=0.06, seed=0)
X_other, y_other = fastnn.data.make_spirals(1000, noise=0.06, seed=1)
kinds = optim.lr_scheduler
schedules = {
    "constant": lambda o: kinds.ConstantLR(o, factor=1.0, total_iters=1),
    "steps": lambda o: kinds.StepLR(o, step_size=20, gamma=0.2),
    "cosine": lambda o: kinds.CosineAnnealingLR(o, T_max=EPOCHS),
    "exponential": lambda o: kinds.ExponentialLR(o, gamma=0.93),
    "warm-up, cosine": lambda o: kinds.WarmupLR(o, 5, after=kinds.CosineAnnealingLR(o, T_max=EPOCHS - 5)),
}


def make(schedule: object) -> fastnn.Trainer:
    net = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2), seed=0)
    optimizer = optim.Adam(net.parameters(), lr=0.03)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optimizer, scheduler=schedule(optimizer))  # type: ignore[operator]


trainers = {name: make(schedule) for name, schedule in schedules.items()}
figure, rates = viz.schedule({name: one.scheduler for name, one in trainers.items()}, EPOCHS, return_data=True)

# %% [markdown]
# The losses of five networks that differ in nothing else. With a constant rate the loss jumps until the end.

# %%
jumps, losses = {}, {}
for name, trainer in trainers.items():
    history = trainer.fit(X, y, epochs=EPOCHS, seed=0, validation_data=(X_other, y_other), progress=False)
    last = history["loss"][-15:]
    jumps[name] = max(last) - min(last)
    losses[name] = sum(last) / len(last)
    print(f"{name:<16} mean loss of the last 15 epochs {losses[name]:.3f}, which differ by {jumps[name]:.3f}")
viz.history({name: trainers[name] for name in ("constant", "cosine")}, ["loss"])

# %%
numbers = {"rates": rates, "jumps": jumps, "losses": losses}
