"""Tabular classification: benign or malignant, from 30 measurements of the cells in an image of a breast mass.

Three parts of the data have three jobs: the network learns from one, training ends by the second (early stopping, with
the parameters of the best epoch restored), and the third says how good the result is.
"""

from sklearn.datasets import load_breast_cancer

import fastnn
from fastnn import callbacks, metrics, nn, optim


def load():
    """Standardized training, validation and test sets; malignant is class 1, the one that must not be missed."""
    X, y = load_breast_cancer(return_X_y=True)
    y = 1 - y  # scikit-learn has benign as 1
    X, X_test, y, y_test = fastnn.data.train_test_split(X.astype("float32"), y, test_size=0.2, seed=0, stratify=y)
    X, X_val, y, y_val = fastnn.data.train_test_split(X, y, test_size=0.25, seed=0, stratify=y)
    X, X_val, X_test = fastnn.data.standardize(X, X_val, X_test)
    return (X, y), (X_val, y_val), (X_test, y_test)


def train(X, y, validation):
    net = nn.Sequential(nn.Linear(X.shape[1], 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1), seed=0)
    trainer = fastnn.Trainer(
        net, nn.BCEWithLogitsLoss(), optim.Adam(net.parameters(), lr=5e-3), metrics=["f1", "recall", "roc_auc"]
    )
    stop = callbacks.EarlyStopping(monitor="val_loss", patience=15, restore_best=True)
    history = trainer.fit(
        X, y, epochs=300, batch_size=32, validation_data=validation, callbacks=[stop], seed=0, progress=False
    )
    print(f"{history.stopped}; {history.epochs} epochs in all")
    return trainer, history


def curve(history, name, width=50):
    """A record over the epochs as a line of characters, from low to high."""
    values = history[name]
    chosen = [values[i * len(values) // width] for i in range(width)] if len(values) > width else values
    low, high = min(values), max(values)
    marks = "".join(" .:-=+*#%@"[round(9 * (v - low) / (high - low or 1))] for v in chosen)
    print(f"{name:>12} |{marks}| {values[0]:.3f} to {values[-1]:.3f}")


def report(y, y_pred):
    """The confusion matrix in words."""
    print("\n            called benign  called malignant")
    for name, row in zip(("benign", "malignant"), metrics.confusion_matrix(y, y_pred), strict=True):
        print(f"{name:>9} {row[0]:>15} {row[1]:>17}")


def main():
    (X, y), validation, (X_test, y_test) = load()
    print(f"{len(y)} samples to learn from, {len(validation[1])} to validate, {len(y_test)} to test")
    trainer, history = train(X, y, validation)
    for name in ("loss", "val_loss", "val_f1", "val_roc_auc"):
        curve(history, name)
    scores = trainer.evaluate(X_test, y_test)
    print("\non the test set: " + ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))
    report(y_test, trainer.net.predict(X_test)[:, 0] > 0)  # a logit above 0 is a probability above 1/2
    return scores | {"epochs": history.epochs, "restored": history.best("val_loss")["epoch"]}


if __name__ == "__main__":
    main()
