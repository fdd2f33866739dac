"""Pipelines as ONNX models: each step of scikit-learn that has a converter, alone and together."""

import shutil
from functools import partial

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed", minversion="1.9")
pytest.importorskip("onnx.helper", exc_type=ImportError)

import onnx
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC

from fastnn.sklearn import MLPClassifier, MLPRegressor, export_c, export_onnx
from fastnn.sklearn.export.step_layers import LAYERS
from fastnn.sklearn.export.steps import STEPS
from support.estimators import assert_same_predictions, by_c, evaluate, fitted, run

RNG = np.random.default_rng(0)
# Numbers of many sizes, counts, categories, a constant column, a column with holes.
ROWS = np.column_stack([
    RNG.normal(size=(80, 2)), 1e4 + RNG.normal(size=80), RNG.integers(0, 4, 80), RNG.choice([1.5, 2.5, -3.0], 80),
    np.full(80, 2.0), np.where(RNG.random(80) < 0.2, np.nan, RNG.exponential(size=80)),
])  # fmt: skip
WHOLE = np.nan_to_num(ROWS)
MARKED = np.where(np.isnan(ROWS), -0.1, ROWS)
Y = np.where(ROWS[:, 0] + ROWS[:, 3] + RNG.normal(size=80) > 1.5, "high", "low")
TOLERANCES = {"float32": {"rtol": 2e-5, "atol": 5e-6}, "float64": {"rtol": 1e-9, "atol": 1e-12}}
DENSE = partial(OneHotEncoder, sparse_output=False)
CATEGORIES = ColumnTransformer([("category", OneHotEncoder(handle_unknown="ignore"), [3, 4])], remainder="passthrough")
TRANSFORMERS = {
    "standard": StandardScaler(),
    "standard without mean": StandardScaler(with_mean=False),
    "standard without deviation": StandardScaler(with_std=False),
    "min and max": MinMaxScaler(feature_range=(-1, 3)),
    "min and max, clipped": make_pipeline(MinMaxScaler(clip=True), MinMaxScaler()),
    "largest": MaxAbsScaler(),
    "largest, clipped": MaxAbsScaler(clip=True),
    "robust": RobustScaler(),
    "robust without center": RobustScaler(with_centering=False, unit_variance=True),
    "robust without scale": RobustScaler(with_scaling=False),
    "l1": make_pipeline(StandardScaler(), Normalizer("l1")), "l2": make_pipeline(StandardScaler(), Normalizer("l2")),
    "max": make_pipeline(StandardScaler(), Normalizer("max")),
    "components": make_pipeline(StandardScaler(), PCA(3, random_state=0)),
    "white components": make_pipeline(StandardScaler(), PCA(whiten=True, n_components=3, random_state=0)),
    "singular vectors": make_pipeline(StandardScaler(), TruncatedSVD(3, random_state=0)),
    "one-hot": CATEGORIES,
    "one-hot, the first dropped": ColumnTransformer([("a", DENSE(drop="first"), slice(3, 6))]),
    "one-hot, of two dropped": ColumnTransformer([("a", DENSE(drop="if_binary"), [3, -3])]),
    "ordinal": ColumnTransformer([
        ("codes", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), [4, 3]), ("rest", "drop", [0]),
        ("scaled", StandardScaler(), [False, True, True, False, False, False, False]),
    ]),
    "integers": ColumnTransformer([
        ("codes", OrdinalEncoder(dtype="int64"), [4]), ("columns", DENSE(dtype="int8"), [3]),
    ]),
    "nothing": FunctionTransformer(),
    "variance": VarianceThreshold(1e-6),
    "the best": SelectKBest(k=4),
    "union": FeatureUnion(
        [("a", StandardScaler()), ("b", PCA(2, random_state=0)), ("c", "drop"), ("d", "passthrough")],
        transformer_weights={"b": 0.5, "d": 1e-3},
    ),
    "all": make_pipeline(
        ColumnTransformer([
            ("numbers", make_pipeline(RobustScaler(), MinMaxScaler()), [0, 1, 2]),
            ("category", DENSE(), [3]), ("none", StandardScaler(), []),
        ], remainder=StandardScaler()),
        "passthrough", VarianceThreshold(), PCA(5, random_state=0),
    ),
}  # fmt: skip
IMPUTERS = {
    strategy: SimpleImputer(strategy=strategy, fill_value=7.5)
    for strategy in ("mean", "median", "constant", "most_frequent")
} | {
    "indicator": SimpleImputer(add_indicator=True),
    "a mark": SimpleImputer(missing_values=-0.1, add_indicator=True),
    "missing is a category": ColumnTransformer([
        ("a", DENSE(), [6]), ("b", OrdinalEncoder(encoded_missing_value=-2), [6]),
    ]),
}  # fmt: skip


def pipeline_of(transformer, x, estimator=None):
    estimator = MLPClassifier((8,)) if estimator is None else estimator
    pipeline = make_pipeline(transformer, StandardScaler(), estimator)
    return fitted(pipeline, x, Y if isinstance(estimator, MLPClassifier) else ROWS[:, 0])


def compared(pipeline, x, dtype):
    """The pipeline's predictions and those of its model are the same."""
    x = x.astype(dtype)
    precise = pipeline[-1].network_.dtype
    assert_same_predictions(pipeline, export_onnx(pipeline), x.astype(precise), TOLERANCES[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_step(name, dtype):
    compared(pipeline_of(TRANSFORMERS[name], WHOLE.astype(dtype)), WHOLE, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", IMPUTERS)
def test_missing_values(name, dtype):
    x = MARKED if name == "a mark" else ROWS[:, [6] * 7] if name.startswith("missing") else ROWS
    compared(pipeline_of(IMPUTERS[name], x.astype(dtype)), x, dtype)


def test_a_column_without_values_is_left_out_or_kept():
    x = ROWS.copy()
    x[:, 1] = np.nan
    kept = pipeline_of(SimpleImputer(keep_empty_features=True), x)
    compared(kept, x, "float64")
    left_out = pipeline_of(SimpleImputer(), x)
    with pytest.warns(UserWarning, match="Skipping features without any observed values"):
        compared(left_out, x, "float64")


def test_every_converter_is_among_the_pipelines_above():
    def classes(step):
        inner = [part[1] for name in ("steps", "transformers", "transformer_list") for part in getattr(step, name, ())]
        return {type(step)}.union(*(classes(one) for one in inner))

    assert set(STEPS) <= set().union(*(classes(step) for step in [*TRANSFORMERS.values(), *IMPUTERS.values()]))


def test_numbers_and_ensembles_behind_steps():
    for estimator in (
        MLPRegressor(hidden_layer_sizes=(8,)),
        MLPRegressor(hidden_layer_sizes=(8,), n_estimators=2),
    ):
        pipeline = pipeline_of(CATEGORIES, WHOLE, estimator)
        assert_same_predictions(pipeline, export_onnx(pipeline), WHOLE, TOLERANCES["float64"])


@pytest.mark.parametrize("name", ["all", "max", "ordinal"])
def test_the_reference_evaluator(name):
    pipeline = pipeline_of(TRANSFORMERS[name], WHOLE)
    found = evaluate(export_onnx(pipeline), X=WHOLE)
    np.testing.assert_allclose(found["probabilities"], pipeline.predict_proba(WHOLE), **TOLERANCES["float64"])


def test_unseen_categories():
    x = WHOLE.copy()
    pipelines = [pipeline_of(TRANSFORMERS[name], WHOLE) for name in ("one-hot", "ordinal")]
    x[:5, 3], x[3:9, 4] = 99, -7.25
    for pipeline in pipelines:
        assert_same_predictions(pipeline, export_onnx(pipeline), x, TOLERANCES["float64"])
    strict = pipeline_of(ColumnTransformer([("a", OneHotEncoder(), [3]), ("b", OrdinalEncoder(), [4])]), WHOLE)
    with pytest.raises(ValueError, match="Found unknown categories"):
        strict.predict(x)
    assert np.isnan(run(export_onnx(strict), X=x)["probabilities"][3:9]).all()


def test_columns_by_name():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(WHOLE, columns=list("abcdefg")).astype({"d": "int64"})
    pick = ColumnTransformer([
        ("named", StandardScaler(), ["c", "a"]), ("one", OneHotEncoder(), make_column_selector(dtype_include="int64")),
        ("some", MinMaxScaler(), slice("e", "g")),
    ])  # fmt: skip
    pipeline = fitted(Pipeline([("pick", pick), ("net", MLPClassifier((8,)))]), frame, Y)
    model = export_onnx(pipeline)
    assert_same_predictions(pipeline, model, frame, TOLERANCES["float64"], X=WHOLE)
    assert model.metadata_props[0].value == '["a", "b", "c", "d", "e", "f", "g"]'
    assert model.graph.name == "Pipeline"


@pytest.mark.parametrize("opset", range(13, onnx.defs.onnx_opset_version() + 1))
def test_every_opset(opset):
    for name in ("all", "max", "ordinal"):
        model = export_onnx(pipeline_of(TRANSFORMERS[name], WHOLE), opset=opset)
        onnx.checker.check_model(model, full_check=True)


class Shifted(StandardScaler):
    def transform(self, X, copy=None):
        return super().transform(X) + 1


def test_all_steps_that_cannot_be_exported_are_named():
    pipeline = Pipeline([
        ("columns", ColumnTransformer([
            ("rare", DENSE(max_categories=2), [3]),
            ("bins", KBinsDiscretizer(quantile_method="averaged_inverted_cdf", encode="ordinal"), [0]),
            ("rest", "passthrough", [1]),
        ])),
        ("log", FunctionTransformer(lambda x: x[:, :3])), ("shift", Shifted()), ("power", PowerTransformer()),
        ("net", MLPClassifier((4,))),
    ])  # fmt: skip
    with pytest.raises(TypeError) as caught:
        export_onnx(fitted(pipeline, WHOLE, Y))
    assert str(caught.value).startswith(
        "no ONNX nodes for these steps: columns.rare: OneHotEncoder (that groups rare categories); "
        "columns.bins: KBinsDiscretizer; "
        "log: FunctionTransformer (of a function of Python); shift: Shifted; power: PowerTransformer. Apply them"
    )


def test_texts_are_refused():
    texts = np.where(ROWS[:, [0, 1]] > 0, "a", "b").astype(object)
    pipeline = make_pipeline(SimpleImputer(strategy="most_frequent"), DENSE(),
                             MLPClassifier((4,)))  # fmt: skip
    with pytest.raises(TypeError) as caught:
        export_onnx(fitted(pipeline, texts, Y))
    assert "simpleimputer: SimpleImputer (of values that are not numbers)" in str(caught.value)
    assert "onehotencoder: OneHotEncoder (of categories that are not numbers)" in str(caught.value)


def test_a_transformer_of_no_columns_is_refused():
    pipeline = make_pipeline(ColumnTransformer([("a", FunctionTransformer(), [])]), MLPClassifier((4,)))
    pipeline = make_pipeline(FeatureUnion([("all", "passthrough"), ("none", pipeline[0])]), MLPClassifier((4,)))
    with pytest.raises(TypeError, match=r"featureunion.none: ColumnTransformer \(it selects no columns\)"):
        export_onnx(fitted(pipeline, WHOLE, Y))


def test_pipelines_of_others():
    with pytest.raises(TypeError, match="a Pipeline that ends in one, got SVC"):
        export_onnx(make_pipeline(StandardScaler(), SVC()))
    with pytest.raises(NotFittedError):
        export_onnx(make_pipeline(StandardScaler(), MLPClassifier()))


BEFORE_C = {
    name: TRANSFORMERS[name]
    for name in (
        "standard", "standard without mean", "standard without deviation", "min and max", "largest",
        "largest, clipped", "robust", "robust without center", "robust without scale", "variance", "the best",
    )
} | {"clipped": MinMaxScaler((-1, 3), clip=True)}  # fmt: skip


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [*BEFORE_C, "components", "white components", "singular vectors"])
def test_a_step_in_c(name, dtype, tmp_path):
    x = WHOLE.astype(dtype)
    before = [step for _, step in TRANSFORMERS[name].steps] if name not in BEFORE_C else [BEFORE_C[name]]
    pipeline = fitted(make_pipeline(*before, "passthrough", StandardScaler(), MLPClassifier((8,))), x, Y)
    export_c(pipeline, tmp_path / "mine.c", name="mine")
    tolerances = {"float32": {"rtol": 1e-4, "atol": 1e-5}, "float64": TOLERANCES["float64"]}[dtype]
    np.testing.assert_allclose(by_c(tmp_path / "mine.c", dtype, x, 2), pipeline.predict_proba(x), **tolerances)


def test_every_step_of_c_is_among_those_above():
    used = {type(step) for step in BEFORE_C.values()} | {PCA, TruncatedSVD}
    assert set(LAYERS) <= used


def test_what_has_no_form_in_c_is_refused(tmp_path):
    pipeline = Pipeline([
        ("fill", SimpleImputer()), ("power", PowerTransformer()), ("scale", StandardScaler()),
        ("net", MLPClassifier((4,))),
    ])  # fmt: skip
    with pytest.raises(TypeError, match="no layers for C of these steps: fill: SimpleImputer; power: PowerTransformer"):
        export_c(fitted(pipeline, ROWS, Y), tmp_path / "mine.c")
    with pytest.raises(TypeError, match=r"estimator must be an MLPClassifier or MLPRegressor .*, got SVC"):
        export_c(make_pipeline(StandardScaler(), SVC()), tmp_path / "mine.c")
    with pytest.raises(NotFittedError):
        export_c(make_pipeline(StandardScaler(), MLPClassifier()), tmp_path / "mine.c")
    assert not (tmp_path / "mine.c").exists()
