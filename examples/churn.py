"""A table with categories and missing values: which customers leave, without preprocessing.

The table is made here: contracts, regions of which there are many, a date, fees that are missing for some. What a
logistic regression on scaled numbers and columns of 0 and 1 makes of it stands beside.
"""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from fastnn.sklearn import TabularClassifier

ROWS = 3000


def customers(seed=0):
    """The table, and who left."""
    rng = np.random.default_rng(seed)
    months, fee = rng.exponential(24, ROWS), rng.gamma(4, 10, ROWS)
    contract = rng.choice(["month", "year", "two years"], ROWS, p=[0.5, 0.3, 0.2])
    region = rng.integers(0, 40, ROWS)
    dislike = rng.normal(size=40)[region]  # of each region
    since = np.datetime64("2021-01-01") + rng.integers(0, 1000, ROWS).astype("timedelta64[D]")
    logit = 2.5 * (contract == "month") * (fee > 40) - 0.04 * months + 1.2 * dislike + 1.5 * (months < 6) - 0.6
    table = pd.DataFrame(
        {
            "months": months,
            "fee": np.where(rng.random(ROWS) < 0.15, np.nan, fee),
            "contract": pd.Categorical(np.where(rng.random(ROWS) < 0.1, None, contract)),
            "region": [f"region {i}" for i in region],
            "since": since,
        }
    )
    return table, np.where(rng.random(ROWS) < 1 / (1 + np.exp(-logit)), "left", "stayed")


def by_hand():
    """The same for a linear model."""
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    names = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer((numbers, ["months", "fee"]), (names, ["contract", "region"]))
    return make_pipeline(columns, LogisticRegression(max_iter=1000))


def main():
    table, left = customers()
    train, test = slice(0, 2000), slice(2000, None)
    model = TabularClassifier(random_state=0, max_epochs=30).fit(table[train], left[train])
    result = {}
    for name, fitted in (("tabular", model), ("linear", by_hand().fit(table[train], left[train]))):
        likely = fitted.predict_proba(table[test])
        loss, area = log_loss(left[test], likely), roc_auc_score(left[test] == "stayed", likely[:, 1])
        result[name] = {"log_loss": loss, "roc_auc": area}
        print(f"{name:8} log loss {loss:.3f}  ROC AUC {area:.3f}")
    found = model.feature_importances(table[test], left[test])
    order = np.argsort(-found["mean"])
    for i in order:
        print(f"{found['names'][i]:9} permuted: {found['mean'][i]:+.3f} of accuracy")
    return result | {"least": str(found["names"][order[-1]])}


if __name__ == "__main__":
    main()
