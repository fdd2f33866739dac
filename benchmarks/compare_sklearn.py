"""fastnn.sklearn beside scikit-learn in one process: python benchmarks/compare_sklearn.py [repeats].

For each set the shortest fit, predict of one row and predict of all rows of each pair, and scikit-learn's time divided
by fastnn's. The settings are the defaults of both; tol=0 gives both as many epochs, 200 on the small sets and 20 on the
large ones.
"""

import sys
import warnings
from functools import partial

import numpy as np
from sklearn import datasets, neural_network
from sklearn.preprocessing import StandardScaler
from timing import shortest

from fastnn import sklearn as own

SETS = {
    "digits": (datasets.load_digits, True),
    "breast cancer": (datasets.load_breast_cancer, True),
    "wine": (datasets.load_wine, True),
    "diabetes": (datasets.load_diabetes, False),
    "20,000 x 20, 2 classes": (lambda **k: datasets.make_classification(20_000, random_state=0), True),
    "20,000 x 20, numbers": (lambda **k: datasets.make_regression(20_000, 20, noise=10, random_state=0), False),
}
LARGE, FEW = 10_000, 20  # rows of a large set, and its epochs


def main(repeats=5):
    warnings.simplefilter("ignore")
    print(f"{'set':24} {'fit':>18} {'ratio':>6} {'one row':>18} {'ratio':>6} {'all rows':>18} {'ratio':>6}")
    for name, (load, classes) in SETS.items():
        X, y = load(return_X_y=True)
        X = StandardScaler().fit_transform(X)
        y = y if classes else (y - y.mean()) / y.std()
        epochs = FEW if len(X) > LARGE else 200
        kind, times = "MLPClassifier" if classes else "MLPRegressor", []
        for room in (own, neural_network):
            model = getattr(room, kind)(max_iter=epochs, tol=0.0, n_iter_no_change=np.inf, random_state=0)
            calls = partial(model.fit, X, y), partial(model.predict, X[:1]), partial(model.predict, X)
            times.append([shortest(call, n) for call, n in zip(calls, (repeats, 200, 20), strict=True)])
        cells = [f"{a * 1e3:8.3f} {b * 1e3:8.3f} ms {b / a:5.1f}x" for a, b in zip(*times, strict=True)]
        print(f"{name:24} " + " ".join(cells))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
