"""Many networks at once beside JAX, PyTorch and scikit-learn: python benchmarks/compare_many.py [threads] [repeats].

Each fleet is trained with Adam for some epochs over the same rows, in batches; network-steps a second (best of the
repeats, compilation aside) by `fit_many` on one thread and on all, by a loop over `fit`, by JAX (vmap over networks,
scan over batches, jit) and by torch.func.vmap. Peers that are not installed are left out. The last line fits one model
for each group of a table, all included, beside a loop over scikit-learn's MLPRegressor (the time of 50 groups, scaled).
"""

import sys
import warnings
from itertools import pairwise

import numpy as np
from timing import shortest

import fastnn
from fastnn import nn, optim

# networks, widths, rows of a batch, batches of an epoch, epochs
FLEETS = [
    (1000, (4, 16, 1), 32, 8, 20),
    (100, (8, 32, 32, 2), 64, 8, 20),
    (32, (64, 128, 10), 128, 8, 10),
    (16, (200, 256, 256, 10), 128, 8, 4),
]
GROUPS, ROWS = 10_000, 50


def trainer(widths, seed):
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.Tanh())]
    net = nn.Sequential(*layers[:-1], seed=seed)
    return fastnn.Trainer(net, nn.MSELoss(), optim.Adam(net.parameters()))


def data(widths, rows):
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, widths[0])).astype("float32"), rng.normal(size=(rows, widths[-1])).astype("float32")


def own(fleet, repeats, threads):
    n, widths, rows, batches, epochs = fleet
    x, y = data(widths, rows * batches)
    trainers = [trainer(widths, seed) for seed in range(n)]
    fastnn.set_num_threads(threads)
    call = {"epochs": epochs, "batch_size": rows, "progress": False}
    fastnn.fit_many(trainers, x, y, **call)
    many = shortest(lambda: fastnn.fit_many(trainers, x, y, **call), repeats)
    loop = shortest(lambda: [t.fit(x, y, **call) for t in trainers], 1)
    return many, loop


def by_jax(fleet, repeats):
    import jax
    import jax.numpy as jnp

    n, widths, rows, batches, epochs = fleet
    x, y = data(widths, rows * batches)
    key = jax.random.PRNGKey(0)
    params = [(jax.random.normal(key, (n, a, b)) / a**0.5, jnp.zeros((n, b))) for a, b in pairwise(widths)]
    zeros = jax.tree.map(jnp.zeros_like, params)

    def loss(p, xb, yb):
        for w, b in p[:-1]:
            xb = jnp.tanh(xb @ w + b)
        w, b = p[-1]
        return ((xb @ w + b - yb) ** 2).mean()

    def step(state, batch):
        p, m, v, t = state
        g = jax.grad(loss)(p, *batch)
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate, root = 1e-3 / (1 - 0.9**t), (1 - 0.999**t) ** 0.5
        p = jax.tree.map(lambda p, m, v: p - rate * m / (v**0.5 / root + 1e-8), p, m, v)
        return (p, m, v, t), 0.0

    def epoch(state, key):
        order = jax.random.permutation(key, rows * batches)
        xs, ys = x[order].reshape(batches, rows, -1), y[order].reshape(batches, rows, -1)
        return jax.lax.scan(step, state, (xs, ys))[0], 0.0

    def one(p, m, v, key):
        return jax.lax.scan(epoch, (p, m, v, 0.0), jax.random.split(key, epochs))[0][0]

    x, y = jnp.asarray(x), jnp.asarray(y)
    run = jax.jit(jax.vmap(one, in_axes=(0, 0, 0, None)))  # one order for all
    return shortest_after_first(lambda: jax.block_until_ready(run(params, zeros, zeros, key)), repeats)


def by_torch(fleet, repeats, threads):
    import torch

    torch.set_num_threads(threads)
    n, widths, rows, batches, epochs = fleet
    x, y = map(torch.from_numpy, data(widths, rows * batches))
    params = {
        f"{name}{i}": torch.randn(n, *shape) / shape[0] ** 0.5
        for i, (a, b) in enumerate(pairwise(widths))
        for name, shape in (("w", (a, b)), ("b", (b,)))
    }

    def loss(p, xb, yb):
        for i in range(len(widths) - 1):
            xb = xb @ p[f"w{i}"] + p[f"b{i}"]
            xb = torch.tanh(xb) if i < len(widths) - 2 else xb
        return ((xb - yb) ** 2).mean()

    grads = torch.func.vmap(torch.func.grad(loss), in_dims=(0, None, None))
    leaves = list(params.values())
    optimizer = torch.optim.Adam(leaves, foreach=True)

    def call():
        for _ in range(epochs):
            order = torch.randperm(rows * batches)
            for i in range(batches):
                taken = order[i * rows : (i + 1) * rows]
                found = grads(params, x[taken], y[taken])
                for name, leaf in params.items():
                    leaf.grad = found[name]
                optimizer.step()

    return shortest_after_first(call, repeats)


def shortest_after_first(call, repeats):
    call()
    return shortest(call, repeats)


def groups():
    """Seconds for one model for each group: ours and scikit-learn's."""
    x, y = data((6, 1), GROUPS * ROWS)
    of = np.repeat(np.arange(GROUPS), ROWS)
    call = {"groups": of, "epochs": 200, "batch_size": ROWS, "progress": False}
    ours = shortest(lambda: fastnn.fit_many(lambda g: trainer((6, 16, 1), g), x, y, **call), 1)
    from sklearn.neural_network import MLPRegressor

    warnings.simplefilter("ignore")
    model = MLPRegressor(hidden_layer_sizes=(16,), activation="tanh", batch_size=ROWS, tol=0.0, n_iter_no_change=np.inf)
    few = range(0, 50 * ROWS, ROWS)
    theirs = shortest(lambda: [model.fit(x[i : i + ROWS], y[i : i + ROWS, 0]) for i in few], 1) * GROUPS / 50
    return ours, theirs


def main(threads=2, repeats=5):
    print(
        f"{'fleet':32} {'1 thread':>10} {'threads':>10} {'loop':>10} {'JAX':>10} {'torch':>10} {'ratio':>6} {'gain':>6}"
    )
    for fleet in FLEETS:
        steps = fleet[0] * fleet[3] * fleet[4]
        times = [own(fleet, repeats, 1)[0], *own(fleet, repeats, threads)]
        for peer in (lambda f: by_jax(f, repeats), lambda f: by_torch(f, repeats, threads)):
            try:
                times.append(peer(fleet))
            except ImportError:
                times.append(np.nan)
        label = f"{fleet[0]} x {'-'.join(map(str, fleet[1]))} rows {fleet[2]}"
        cells = " ".join(f"{steps / seconds:10.0f}" for seconds in times)
        print(f"{label:32} {cells} {np.nanmin(times[3:]) / times[1]:5.2f}x {times[0] / times[1]:5.2f}x", flush=True)
    ours, theirs = groups()
    print(f"{GROUPS} groups of {ROWS} rows: {ours:.2f} s, scikit-learn {theirs:.0f} s, {theirs / ours:.0f}x")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
