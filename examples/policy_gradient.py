"""A policy gradient (REINFORCE, Williams 1992) that learns to balance a pole: your own loop with explicit backward.

The loss has no target: the gradient of the log-probability of the actions that were taken, times how much better than
usual they turned out, is computed here and handed to `net.backward`.
"""

import numpy as np

from fastnn import functional as F
from fastnn import nn, optim

STEPS = 200  # an episode ends at the latest then
FORCE, MASS_CART, MASS_POLE, HALF_LENGTH, GRAVITY, TICK = 10.0, 1.0, 0.1, 0.5, 9.8, 0.02  # Barto, Sutton, Anderson 1983


def move(state, action):
    """The states of many carts with poles after one tick, each pushed right (1) or left (0)."""
    _, speed, angle, turn = state.T
    force, mass = np.where(action == 1, FORCE, -FORCE), MASS_CART + MASS_POLE
    push = (force + MASS_POLE * HALF_LENGTH * turn**2 * np.sin(angle)) / mass
    fall = GRAVITY * np.sin(angle) - np.cos(angle) * push
    fall /= HALF_LENGTH * (4 / 3 - MASS_POLE * np.cos(angle) ** 2 / mass)
    drive = push - MASS_POLE * HALF_LENGTH * fall * np.cos(angle) / mass
    return state + TICK * np.stack([speed, drive, turn, fall], axis=1)


def play(net, rng, episodes):
    """Episodes side by side: states and actions of shape (steps, episodes, ...), and which of them still stood."""
    state = rng.uniform(-0.05, 0.05, (episodes, 4))
    standing, record = np.ones(episodes, bool), []
    while standing.any() and len(record) < STEPS:
        probability = F.softmax(net.predict(state.astype("float32")))[:, 1]
        action = (rng.random(episodes) < probability).astype(int)
        record.append((state.astype("float32"), action, standing))
        state = move(state, action)
        standing = standing & (np.abs(state[:, 0]) < 2.4) & (np.abs(state[:, 2]) < 0.21)
    return [np.stack(part) for part in zip(*record, strict=True)]


def learn(net, optimizer, states, actions, standing):
    """One step up the gradient of the expected number of ticks."""
    left = standing[::-1].cumsum(axis=0)[::-1]  # how long each pole stood from here on
    usual = left.sum(axis=1, keepdims=True) / standing.sum(axis=1, keepdims=True)
    advantage = np.where(standing, left - usual, 0.0)[standing]
    advantage /= advantage.std() + 1e-8
    logits = net(states[standing])
    taken = np.eye(2)[actions[standing]]
    # d/dlogits of -log softmax(logits)[action] is softmax(logits) - onehot(action)
    gradient = (F.softmax(logits) - taken) * advantage[:, None] / len(advantage)
    net.backward(gradient.astype("float32"))
    optimizer.step()
    optimizer.zero_grad()


def main(updates=60, episodes=32):
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 2), seed=0)
    optimizer = optim.Adam(net.parameters(), lr=0.02)
    lengths = []
    for update in range(updates):
        states, actions, standing = play(net, rng, episodes)
        lengths.append(standing.sum() / episodes)
        learn(net, optimizer, states, actions, standing)
        if update % 10 == 0 or update == updates - 1:
            print(f"update {update:>3}: the pole stands for {lengths[-1]:.0f} of {STEPS} ticks")
    return {"first": lengths[0], "last": float(np.mean(lengths[-5:]))}


if __name__ == "__main__":
    main()
