"""Calibration: a network that says "99% sure" should be right 99 times in 100. Most are too sure of themselves.

One number repairs that (Guo et al., "On Calibration of Modern Neural Networks", 2017): the logits are divided by a
temperature, learnt on validation samples when training is over. No decision changes, only how sure the network is.
"""

import numpy as np

import fastnn
from fastnn import functional as F
from fastnn import metrics, nn, optim

BINS = np.linspace(0.0, 1.0, 11)


def load():
    """Digits, blurred by so much noise that nobody can be sure of all of them."""
    X, y = fastnn.data.load_digits()
    X = fastnn.data.standardize(X) + np.random.default_rng(0).normal(0, 1.0, X.shape).astype("float32")
    X, X_rest, y, y_rest = fastnn.data.train_test_split(X, y, test_size=0.6, seed=0, stratify=y)
    X_val, X_test, y_val, y_test = fastnn.data.train_test_split(X_rest, y_rest, test_size=0.6, seed=0, stratify=y_rest)
    return (X, y), (X_val, y_val), (X_test, y_test)


def train(X, y):
    net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=2e-3))
    trainer.fit(X, y, epochs=40, batch_size=32, seed=0, progress=False)
    return net


def learn_temperature(logits, y):
    """A network of a single parameter, learnt by L-BFGS: from 1, some steps are enough."""
    scale = nn.Sequential(nn.Temperature(), seed=0)
    optimizer = optim.LBFGS(scale.parameters(), line_search_fn="strong_wolfe")
    trainer = fastnn.Trainer(scale, nn.CrossEntropyLoss(), optimizer)
    trainer.fit(logits, y, epochs=5, batch_size=None, progress=False)
    return scale


def reliability(logits, y):
    """Of each bin of confidence: how many samples, how sure the network is of them, and how often it is right."""
    probabilities = F.softmax(logits)
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    bins = np.minimum(np.digitize(sure, BINS) - 1, len(BINS) - 2)
    return [(mask.sum(), sure[mask].mean(), right[mask].mean()) for b in np.unique(bins) if (mask := bins == b).any()]


def calibration_error(table):
    """Expected calibration error: how far confidence and accuracy are apart, on average over the samples."""
    counts, sure, right = map(np.array, zip(*table, strict=True))
    return float((counts * abs(sure - right)).sum() / counts.sum())


def show(title, table):
    print(f"\n{title}: calibration error {calibration_error(table):.3f}\n  samples  sure  right")
    for count, sure, right in table:
        line = list("." * 41)
        line[round(40 * sure)], line[round(40 * right)] = "s", "R"
        print(f"  {count:>7}  {sure:>4.2f}  {right:>5.2f}  {''.join(line)}")


def main():
    (X, y), (X_val, y_val), (X_test, y_test) = load()
    net = train(X, y)
    scale = learn_temperature(net.predict(X_val), y_val)
    temperature = float(scale.parameters().data[0])
    logits = net.predict(X_test)
    softer = scale.predict(logits)
    before, after = reliability(logits, y_test), reliability(softer, y_test)
    show("as trained", before)
    show(f"at the learnt temperature, {temperature:.2f}", after)
    same = (logits.argmax(axis=1) == softer.argmax(axis=1)).mean()
    print(f"\n{same:.0%} of the decisions are what they were, {metrics.accuracy(y_test, softer):.1%} of them right.")
    return {
        "temperature": temperature,
        "errors": (calibration_error(before), calibration_error(after)),
        "losses": (float(F.cross_entropy(logits, y_test)), float(F.cross_entropy(softer, y_test))),
        "same": same,
    }


if __name__ == "__main__":
    main()
