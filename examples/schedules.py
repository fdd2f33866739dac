"""Learning-rate schedules compared: one network, one starting point, six ways to move the rate over 30 epochs.

First a range test suggests a rate: a copy of the network is trained with a rate that grows from batch to batch, and the
best one is where the loss falls fastest. Then each schedule gets that rate as its highest. The rates are a table that
the compiled loop reads, so a schedule by batch costs no more than one by epoch.
"""

import fastnn
from fastnn import nn, optim
from fastnn.optim import lr_scheduler

EPOCHS, BATCH = 30, 16


def load():
    """Few digits to learn from, so that the end of training is noisy, and many to judge by."""
    X, y = fastnn.data.load_digits()
    X, X_test, y, y_test = fastnn.data.train_test_split(X, y, test_size=0.5, seed=0, stratify=y)
    X, X_test = fastnn.data.standardize(X, X_test)
    return (X, y), (X_test, y_test)


def make(lr, schedule=None):
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 10), seed=0)
    optimizer = optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optimizer, schedule and schedule(optimizer))


def schedules(lr, batches):
    """By name, a function of the optimizer; `batches` are those of an epoch."""
    total, warm = EPOCHS * batches, 3 * batches
    return {
        "constant": None,
        "StepLR": lambda o: lr_scheduler.StepLR(o, step_size=10, gamma=0.1),
        "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=EPOCHS),
        "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, max_lr=lr, total_steps=total),
        "WarmupLR, linear": lambda o: lr_scheduler.WarmupLR(
            o, warm, after=lr_scheduler.LinearLR(o, 1.0, 0.01, total_iters=total - warm, by="batch")
        ),
        "ReduceLROnPlateau": lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.3, patience=2, monitor="loss"),
    }


def bars(rates, highest):
    """A rate an epoch as a character."""
    return "".join("_▁▂▃▄▅▆▇█"[round(8 * rate / highest)] for rate in rates)


def range_test(X, y):
    finder = make(1e-3).find_lr(X, y, start=1e-4, stop=10, steps=150, batch_size=BATCH, seed=0)
    print(f"range test: {finder}")
    for lr, loss in zip(finder.lrs[::12], finder.smoothed[::12], strict=True):
        print(f"  lr {lr:<8.2g} loss {loss:<6.3f} {'*' * min(60, round(15 * loss))}")
    return finder.suggestion()


def compare(lr, data, test):
    """Train with each schedule; a line and a result for each."""
    X, y = data
    print(f"{'schedule':<18} {'rate by epoch':<{EPOCHS}}  {'loss':>8} {'val_loss':>8}  accuracy")
    for name, schedule in schedules(lr, -(-len(X) // BATCH)).items():
        trainer = make(lr, schedule)
        history = trainer.fit(X, y, epochs=EPOCHS, batch_size=BATCH, validation_data=test, seed=0, progress=False)
        rates = history["lr"] if schedule else [lr] * EPOCHS
        loss, val_loss, accuracy = (history.last[record] for record in ("loss", "val_loss", "val_accuracy"))
        print(f"{name:<18} {bars(rates, lr)}  {loss:>8.4f} {val_loss:>8.4f}  {accuracy:.3f}")
        yield name, {"rates": rates, "loss": loss, "val_loss": val_loss, "accuracy": accuracy}


def main():
    data, test = load()
    lr = range_test(*data)
    print(f"suggested rate: {lr:.3g}\n")
    results = dict(compare(lr, data, test))
    best = min(results, key=lambda name: results[name]["val_loss"])
    print(f"\nThe lowest validation loss is that of {best}.")
    return results | {"suggestion": lr}


if __name__ == "__main__":
    main()
