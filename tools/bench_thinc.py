"""A feed-forward model of spaCy's size, trained by thinc with FastnnOps and with NumpyOps: seconds for an epoch each.

Run it where thinc is installed: `python tools/bench_thinc.py`. Times are minima of interleaved repetitions.
"""

import time

import numpy as np
from thinc.api import Adam, Mish, NumpyOps, Relu, Softmax, chain, fix_random_seed, set_current_ops

from fastnn.thinc import FastnnOps

WIDTH, CLASSES, ROWS, BATCH, REPEATS = 96, 50, 4096, 256, 5


def epoch(model, optimizer, x, y):
    for start in range(0, ROWS, BATCH):
        guess, backprop = model.begin_update(x[start : start + BATCH])
        backprop((guess - y[start : start + BATCH]) / BATCH)
        model.finish_update(optimizer)


def make(ops, layer, x, y):
    set_current_ops(ops)
    fix_random_seed(0)
    model = chain(layer(3 * WIDTH, dropout=0.1), layer(3 * WIDTH), layer(WIDTH), Softmax())
    model.initialize(X=x[:10], Y=y[:10])
    return model, Adam(0.001)


def main():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, WIDTH)).astype("float32")
    y = np.eye(CLASSES, dtype="float32")[rng.integers(CLASSES, size=ROWS)]
    for layer in (Relu, Mish):
        contenders = {ops.name: (ops, *make(ops, layer, x, y)) for ops in (FastnnOps(), NumpyOps())}
        best = dict.fromkeys(contenders, np.inf)
        for _ in range(REPEATS):
            for name, (ops, model, optimizer) in contenders.items():
                set_current_ops(ops)
                start = time.perf_counter()
                epoch(model, optimizer, x, y)
                best[name] = min(best[name], time.perf_counter() - start)
        ratio = best["numpy"] / best["fastnn"]
        print(f"{layer.__name__}: {best['fastnn']:.3f} s, NumpyOps {best['numpy']:.3f} s, {ratio:.2f} times as fast")


if __name__ == "__main__":
    main()
