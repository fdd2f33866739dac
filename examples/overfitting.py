"""Overfitting, and what each regularizer does about it: a wide network, few samples, and a fifth of the labels wrong.

Left alone the network learns everything by heart, the wrong labels too. Each row of the table adds one remedy: look at
how many of the wrong labels it still learns, and at the loss on samples that it never saw.
"""

import numpy as np

import fastnn
from fastnn import callbacks, nn, optim

SAMPLES, WRONG, WIDTH, EPOCHS = 200, 0.25, 128, 80


def load():
    """A few digits, some with labels drawn at random, and many to validate with, all of them right."""
    X, y = fastnn.data.load_digits()
    X, X_val, y, y_val = fastnn.data.train_test_split(X, y, test_size=len(X) - SAMPLES, seed=0, stratify=y)
    X, X_val = fastnn.data.standardize(X, X_val)
    rng = np.random.default_rng(0)
    noisy = np.where(rng.random(SAMPLES) < WRONG, rng.integers(0, 10, SAMPLES), y)
    return (X, noisy), (X_val, y_val), noisy != y


def network(before=(), after=(), **linear):
    """Two wide layers; `before` the first and `after` each one what functions make, and options of the linear ones."""
    wide = [(nn.Linear(n, WIDTH, **linear), *(make() for make in after), nn.ReLU()) for n in (64, WIDTH)]
    return nn.Sequential(*(make() for make in before), *wide[0], *wide[1], nn.Linear(WIDTH, 10, **linear), seed=0)


def remedies():
    """By name: a network, and what a trainer, its optimizer, its loss and fit get beside the usual."""
    return {
        "none": {},
        "weight decay": {"optimizer": {"weight_decay": 5.0}},
        "L1": {"trainer": {"l1": 2e-3}},
        "L2": {"trainer": {"l2": 3e-2}},
        "max-norm": {"net": network(max_norm=0.5)},
        "dropout": {"net": network(after=[lambda: nn.Dropout(0.6)])},
        "input dropout": {"net": network(before=[lambda: nn.Dropout(0.5)])},
        "noise": {"net": network(before=[lambda: nn.GaussianNoise(1.0)])},
        "batch norm": {"net": network(after=[lambda: nn.BatchNorm1d(WIDTH)])},
        "label smoothing": {"loss": {"label_smoothing": 0.3}},
        "mixup": {"fit": {"transform": fastnn.data.Mixup(1.0)}},
        "early stopping": {"fit": {"callbacks": [callbacks.EarlyStopping(patience=10)]}},
    }


def train(data, validation, net=None, trainer=None, optimizer=None, loss=None, fit=None):
    net = net or network()
    rule = optim.AdamW(net.parameters(), lr=1e-3, **{"weight_decay": 0.0} | (optimizer or {}))
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(**loss or {}), rule, **trainer or {})
    trainer.fit(*data, epochs=EPOCHS, validation_data=validation, seed=0, progress=False, **fit or {})
    return net


def judge(net, data, validation, wrong):
    """How the network does where it learnt, on the wrong labels among those, and on samples that it never saw."""
    (X, y), (X_val, y_val) = data, validation
    plain = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()))  # without smoothing or penalties
    learnt = net.predict(X).argmax(axis=1) == y
    scores = plain.evaluate(X_val, y_val)
    return {
        "train": learnt.mean(),
        "by heart": learnt[wrong].mean(),
        "validation": scores["accuracy"],
        "val_loss": scores["loss"],
    }


def main():
    data, validation, wrong = load()
    print(f"{SAMPLES} samples, {wrong.sum()} of them with a wrong label; {network().parameters().numel()} parameters\n")
    print(f"{'accuracy:':<16}{'train':>8}{'by heart':>10}{'validation':>12}{'val_loss':>10}")
    results = {}
    for name, options in remedies().items():
        results[name] = scores = judge(train(data, validation, **options), data, validation, wrong)
        bar = "#" * round(12 * scores["val_loss"])
        print("{:<16}{:>8.2f}{:>10.2f}{:>12.3f}{:>10.3f}  {}".format(name, *scores.values(), bar))
    print('\n"by heart" is the share of the wrong labels that the network gives back.')
    return results


if __name__ == "__main__":
    main()
