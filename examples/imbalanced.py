"""Imbalanced classes: one payment in twenty is a fraud, and who finds none is right 95% of the time.

Accuracy does not show it; recall (how many of the frauds were found) and precision (how many alarms were right) do.
Weights that make both classes count alike find most frauds at the price of false alarms, their roots are half-way; the
focal loss, which turns from easy samples to hard ones, weighs samples instead of classes.
"""

import numpy as np

import fastnn
from fastnn import metrics, nn, optim

RARE = 0.05  # share of frauds


def draw(n, rng):
    """Payments of eight numbers: frauds are shifted a little in four of them, and correlate otherwise."""
    y = (rng.random(n) < RARE).astype(np.int64)
    X = rng.standard_normal((n, 8))
    fraud = y == 1
    X[fraud, :4] += 0.9
    X[fraud, 5] = 0.8 * X[fraud, 4] + 0.6 * X[fraud, 5]
    return X.astype("float32"), y


def train(X, y, loss):
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2), seed=0)
    trainer = fastnn.Trainer(net, loss, optim.Adam(net.parameters(), lr=3e-3))
    trainer.fit(X, y, epochs=30, batch_size=64, seed=0, progress=False)
    return net


def judge(net, X, y):
    """Scores of the rare class, and how many alarms there are."""
    logits = net.predict(X)
    called = logits.argmax(axis=1)
    return {
        "accuracy": metrics.accuracy(y, called),
        "recall": metrics.recall(y, called),
        "precision": metrics.precision(y, called),
        "f1": metrics.f1(y, called),
        "auc": metrics.roc_auc(y, logits[:, 1] - logits[:, 0]),
        "alarms": int(called.sum()),
    }


def main():
    rng = np.random.default_rng(0)
    (X, y), (X_test, y_test) = draw(4000, rng), draw(4000, rng)
    weight = fastnn.data.class_weights(y, "balanced")
    print(f"{y.sum()} frauds among {len(y)} samples; balanced class weights {weight.round(2).tolist()}\n")
    losses = {
        "plain": nn.CrossEntropyLoss(),
        "class weights": nn.CrossEntropyLoss(weight=weight),
        "their roots": nn.CrossEntropyLoss(weight=np.sqrt(weight)),
        "focal": nn.SoftmaxFocalLoss(gamma=2.0),
    }
    results = {name: judge(train(X, y, loss), X_test, y_test) for name, loss in losses.items()}
    print(f"{'loss':<15}" + "".join(f"{name:>10}" for name in results["plain"]) + "  frauds found")
    for name, scores in results.items():
        numbers = "".join(f"{v:>10}" if isinstance(v, int) else f"{v:>10.3f}" for v in scores.values())
        print(f"{name:<15}{numbers}  {'#' * round(20 * scores['recall']):.<20}")
    print(f"\n{y_test.sum()} of {len(y_test)} test samples are frauds. How well the losses order them (auc) is alike:")
    print("they differ in where the line is drawn between too many alarms and too few.")
    return results


if __name__ == "__main__":
    main()
