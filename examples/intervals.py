"""Regression with intervals: what a house costs, and between which prices it will be with a given probability.

The intervals come of the errors on rows that a network was not trained on (split conformal prediction), and are counted
on rows that the model has never seen.
"""

import numpy as np
import pandas as pd

from fastnn.sklearn import TabularRegressor

ROWS = 3000
COVERAGES = (0.5, 0.8, 0.95)


def houses(seed=0):
    """A table, made here, and prices in thousands."""
    rng = np.random.default_rng(seed)
    area, age = rng.gamma(6, 20, ROWS), rng.uniform(0, 80, ROWS)
    place, heating = rng.integers(0, 25, ROWS), rng.choice(["gas", "oil", "heat pump"], ROWS)
    price = area * (2 + 0.5 * np.sin(place)) * np.exp(-age / 150) + 20 * (heating == "heat pump")
    table = pd.DataFrame(
        {"area": area, "age": np.where(rng.random(ROWS) < 0.1, np.nan, age), "heating": heating,
         "place": [f"place {i}" for i in place]}
    )  # fmt: skip
    return table, price + rng.normal(0, 15, ROWS)


def main():
    table, price = houses()
    model = TabularRegressor(random_state=0, max_epochs=30).fit(table[:1500], price[:1500])
    score = model.score(table[1500:], price[1500:])
    print(f"R^2 {score:.3f}")
    shares = {}
    for coverage in COVERAGES:
        low, high = model.predict_interval(table[1500:], coverage).T
        shares[coverage] = float(np.mean((low <= price[1500:]) & (price[1500:] <= high)))
        print(f"{coverage:.0%}: -+ {(high - low)[0] / 2:5.1f}, which holds {shares[coverage]:.1%} of new prices")
    return {"r2": score, "shares": shares}


if __name__ == "__main__":
    main()
