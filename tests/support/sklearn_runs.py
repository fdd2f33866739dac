"""The runs of scikit-learn's estimators that are recorded in tests/recorded/sklearn_trajectories.npz."""

import numpy as np

SMALL = {"hidden_layer_sizes": (7, 4), "random_state": 3, "max_iter": 25, "batch_size": 16, "learning_rate_init": 0.01}

# By name: the kind of targets, the parameters, and whether there are sample weights.
RUNS = {
    "adam": ("classes", SMALL, False),
    "adam weights": ("classes", SMALL, True),
    "adam two classes": ("two", SMALL | {"activation": "logistic", "alpha": 0.1}, False),
    "adam labels": ("labels", SMALL | {"activation": "tanh"}, True),
    "adam stopping": ("classes", SMALL | {"early_stopping": True, "validation_fraction": 0.3}, False),
    "adam unshuffled": ("numbers", SMALL | {"shuffle": False, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-4}, False),
    "sgd": ("classes", SMALL | {"solver": "sgd", "learning_rate_init": 0.1}, False),
    "sgd plain": ("two", SMALL | {"solver": "sgd", "momentum": 0.0, "activation": "identity"}, True),
    "sgd no nesterov": ("numbers", SMALL | {"solver": "sgd", "nesterovs_momentum": False}, False),
    "sgd invscaling": ("numbers", SMALL | {"solver": "sgd", "learning_rate": "invscaling"}, True),
    "sgd adaptive": (
        "two", SMALL | {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 2, "tol": 0.01}, False,
    ),
    "sgd one batch": ("classes", SMALL | {"solver": "sgd", "batch_size": "auto", "n_iter_no_change": 3}, True),
    "poisson": ("counts", SMALL | {"loss": "poisson"}, False),
    "poisson weights": ("counts", SMALL | {"loss": "poisson", "batch_size": "auto"}, True),
    "lbfgs": ("classes", SMALL | {"solver": "lbfgs", "activation": "tanh"}, True),
    "lbfgs numbers": ("numbers", SMALL | {"solver": "lbfgs"}, False),
    "lbfgs poisson": ("counts", SMALL | {"solver": "lbfgs", "loss": "poisson"}, True),
}  # fmt: skip


def data_of(kind, weighted):
    """Rows, targets and weights: drawn by NumPy's frozen generator."""
    rng = np.random.RandomState(0)
    x = rng.normal(size=(90, 5))
    score = x[:, 0] * x[:, 1] + x[:, 2] + 0.3 * rng.normal(size=90)
    y = {
        "classes": np.digitize(score, [-0.5, 0.6]),
        "two": np.where(score > 0, "yes", "no"),
        "labels": np.column_stack([score > 0, x[:, 3] > 0.2]).astype(int),
        "numbers": np.column_stack([score, x[:, 3] ** 2]),
        "counts": rng.poisson(np.exp(0.5 * score)),
    }[kind]
    return x, y, rng.uniform(0.2, 3.0, 90) if weighted else None
