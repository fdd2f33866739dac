"""Tabular regression: how diabetes will progress within a year, from numbers and categories of 442 patients.

Categories (sex, decade of age, class of body mass) are columns of integer codes; an embedding gives each code a few
numbers that are learnt, and they go into the network beside the numeric columns. Least squares with NumPy stands beside
it: on few samples a straight line is hard to beat.
"""

import numpy as np
from sklearn.datasets import load_diabetes

import fastnn
from fastnn import callbacks, metrics, nn, optim

MASS = ("under 20", "20 to 25", "25 to 30", "30 to 35", "35 and more")  # kg / m^2
SPLITS = 4


def load():
    """Columns 0 to 7 numeric (body mass, blood pressure, six of the blood), 8 to 10 codes; and the target."""
    X, y = load_diabetes(return_X_y=True, scaled=False)
    age, sex, mass = X[:, 0], X[:, 1], X[:, 2]
    codes = [sex - 1, np.clip(age // 10 - 1, 0, 6), np.digitize(mass, [20, 25, 30, 35])]
    return np.column_stack([X[:, 2:], *codes]).astype("float32"), y.astype("float32")[:, None]


def scaled(X, *others):
    """Standardized numbers, and codes as they are."""
    parts = fastnn.data.standardize(*(part[:, :8] for part in (X, *others)))
    return [np.hstack([part, whole[:, 8:]]) for part, whole in zip(parts, (X, *others), strict=True)]


def network(seed):
    # codes and features of sex, decade of age and class of body mass
    inputs = nn.TabularInput(numeric=range(8), categorical={8: (2, 1), 9: (7, 2), 10: (len(MASS), 2)})
    return nn.Sequential(inputs, nn.Linear(13, 16), nn.SiLU(), nn.Dropout(0.2), nn.Linear(16, 1), seed=seed)


def train(X, y, seed):
    """The network and how to undo the scale of the target, on which Huber's loss depends."""
    mean, std = y.mean(), y.std()
    net = network(seed)
    optimizer = optim.AdamW(net.parameters(), lr=5e-3, weight_decay=0.1)
    trainer = fastnn.Trainer(net, nn.HuberLoss(delta=1.5), optimizer, metrics=["mae"])
    stop = callbacks.EarlyStopping(patience=15)
    trainer.fit(X, (y - mean) / std, epochs=150, validation_split=0.2, callbacks=[stop], seed=seed, progress=False)
    return lambda X: net.predict(X) * std + mean


def least_squares(X, y):
    """Of the numbers, and of one column for each code but the first of its category."""

    def table(X):
        dummies = [X[:, [8 + i]] == np.arange(1, n) for i, n in enumerate((2, 7, len(MASS)))]
        return np.hstack([np.ones((len(X), 1)), X[:, :8], *dummies])

    weights = np.linalg.lstsq(table(X), y, rcond=None)[0]
    return lambda X: table(X) @ weights


def compare(X, y):
    """Train and test on several splits; yields, by name, the errors on each and the last prediction function."""
    for seed in range(SPLITS):
        X_train, X_test, y_train, y_test = fastnn.data.train_test_split(X, y, test_size=0.25, seed=seed)
        X_train, X_test = scaled(X_train, X_test)
        fitted = {"least squares": least_squares(X_train, y_train), "network": train(X_train, y_train, seed)}
        for name, predict in fitted.items():
            y_pred = predict(X_test)
            yield name, [metric(y_test, y_pred) for metric in (metrics.rmse, metrics.mae, metrics.r2)]
    effect(fitted["network"], X_test)


def effect(predict, X):
    """The mean prediction if everyone were of one class of body mass, and nothing else changed."""
    print("what the network expects, were all of one class of body mass (kg / m^2) and the rest as it is:")
    for code, name in enumerate(MASS):
        everyone = X.copy()
        everyone[:, 10] = code
        value = float(predict(everyone).mean())
        print(f"  {name:>12} {value:>5.0f} {'#' * round(value / 5)}")


def main():
    X, y = load()
    scores = {}
    for name, errors in compare(X, y):
        scores.setdefault(name, []).append(errors)
    print(f"\n{'mean of ' + str(SPLITS) + ' splits':<18}{'RMSE':>8}{'MAE':>8}{'R2':>8}")
    for name, rows in scores.items():
        print(f"{name:<18}" + "{:>8.1f}{:>8.1f}{:>8.3f}".format(*np.mean(rows, axis=0)))
    print(f"{'always the mean':<18}{y.std():>8.1f}{abs(y - y.mean()).mean():>8.1f}{0:>8.3f}")
    return {name: float(np.mean([row[0] for row in rows])) for name, rows in scores.items()} | {"mean": float(y.std())}


if __name__ == "__main__":
    main()
