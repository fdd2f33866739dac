"""Two spirals, one in the other: a linear classifier fails, two hidden layers draw the boundary, shown as text."""

import numpy as np

import fastnn
from fastnn import nn, optim


def fit(X, y, *hidden, epochs):
    sizes = (2, *hidden)
    layers = [layer for a, b in zip(sizes, hidden, strict=False) for layer in (nn.Linear(a, b), nn.Tanh())]
    net = nn.Sequential(*layers, nn.Linear(sizes[-1], 2), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.01))
    history = trainer.fit(X, y, epochs=epochs, batch_size=32, seed=0, progress=False)
    return net, history["accuracy"][-1]


def show(net, X, y, width=64, height=24):
    """What the network makes of the plane (. and #), with the samples (o and X) on it."""
    across, down = np.linspace(-1.1, 1.1, width), np.linspace(1.1, -1.1, height)
    grid = np.stack(np.meshgrid(across, down), axis=-1).astype("float32")
    cells = np.where(net.predict(grid).argmax(axis=-1) == 1, "#", ".")
    columns, rows = np.abs(across - X[:, :1]).argmin(axis=1), np.abs(down - X[:, 1:]).argmin(axis=1)
    cells[rows, columns] = np.where(y == 1, "X", "o")
    print("\n".join("".join(row) for row in cells))


def main(epochs=200):
    X, y = fastnn.data.make_spirals(400, noise=0.01, seed=0)
    X /= np.abs(X).max()
    _, linear = fit(X, y, epochs=epochs)
    print(f"without a hidden layer: accuracy {linear:.2f}")
    net, deep = fit(X, y, 32, 32, epochs=epochs)
    show(net, X, y)
    print(f"with two hidden layers of 32: accuracy {deep:.2f}")
    return {"linear": linear, "deep": deep}


if __name__ == "__main__":
    main()
