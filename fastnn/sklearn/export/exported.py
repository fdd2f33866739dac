"""`export_onnx` and `export_c`: the functions, and the methods of the estimators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from ..._frames import errors_of_use
from ...c_source.export import ExportReport
from ...c_source.export import export_c as write_c
from ...files.objects import Target
from .outputs import split, whole_network

if TYPE_CHECKING:
    from onnx import ModelProto


@errors_of_use
def export_onnx(
    estimator: Any,
    path_or_file: Target | None = None,
    *,
    opset: int | None = None,
    name: str | None = None,
    metadata: Mapping[str, str] | None = None,
    dtype: str | None = None,
) -> ModelProto:
    """Write a fitted estimator, or a pipeline that ends in one, as an ONNX model of what it predicts.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor or Pipeline
        The steps before the last of a Pipeline of scikit-learn may be StandardScaler, MinMaxScaler, MaxAbsScaler,
        RobustScaler, Normalizer, SimpleImputer, OneHotEncoder and OrdinalEncoder of numbers, PCA, TruncatedSVD, those
        that select columns (VarianceThreshold, SelectKBest, ...), ColumnTransformer, FeatureUnion and Pipeline of
        these, and "passthrough".
    path_or_file : str, path-like or binary file object, optional
        The file at a path is replaced in one step. Without it the model is only returned.
    opset : int of at least 13, default 17
        The version of the operators.
    name : str, optional
        The name of the graph; by default that of the class.
    metadata : dict of str to str, optional
        Goes into the model's `metadata_props`.
    dtype : {"float32", "float64"}, optional
        Of the numbers of the input, and of the network of an MLPClassifier or MLPRegressor: by default that of the
        network, float64 unless `fit` was given float32 rows. Of a table float64, which its network does not depend on.

    Returns
    -------
    model : onnx.ModelProto
        Its input is "X", (batch, n_features). A tabular estimator of a frame, or with text, has one for each column
        that is used, (batch, 1), by its name: numbers, NaN where one is missing, or strings, "" where one is missing.

        The outputs of a classifier are "label", the classes as int64 or strings, (batch,), or 0 and 1 of each label,
        and "probabilities", (batch, n_classes), as of `predict_proba`; that of a regressor is "variable", with the
        shape of `predict`.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it does not end in one of fastnn's, classes are neither whole numbers nor strings, or steps, layers or
        columns (of times) have no form in ONNX: the message names all of them.
    ValueError
        If an argument is out of its range.
    OSError
        If the file cannot be written; the old file is then still there.

    Notes
    -----
    Labels are decided as `predict` does it: by the outputs of the network, and by mean probabilities of an ensemble.

    A model has no errors to raise: of a category that an encoder with handle_unknown="error" has not seen, its columns
    of OneHotEncoder are 0, and its code of OrdinalEncoder is NaN.

    A tabular column of categories takes strings unless all of its categories are numbers (2, 2.5), which it takes then.
    If "" is a category of it, a missing value cannot be told from it. Columns that `fit` left out have no input.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.sklearn import MLPClassifier, export_onnx
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array(["low", "low", "high", "high"])
    >>> model = export_onnx(MLPClassifier(solver="lbfgs", random_state=0).fit(X, y))
    >>> [output.name for output in model.graph.output]
    ['label', 'probabilities']
    """
    from ...onnx import _package  # noqa: F401  (first: a clear message where onnx is missing)
    from .graphs import write

    return write(estimator, path_or_file, opset, name, metadata, dtype)


@errors_of_use
def export_c(
    estimator: Any, path: Any, *, name: str = "model", dtype: str | None = None, weights: str = "float",
    samples: Any = None,
) -> ExportReport:  # fmt: skip
    """Write a fitted estimator, or a pipeline that ends in one, as one C99 file without dependencies.

    `NAME_predict(x, y)` writes what `predict_proba` returns for a row x, in the order of `classes_`, two numbers of two
    classes; of a regressor, what `predict` returns. `NAME_predict_batch(x, y, rows)` is for many rows.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor or Pipeline
        The steps before the last of a Pipeline of scikit-learn may be StandardScaler, MinMaxScaler, MaxAbsScaler,
        RobustScaler, PCA, TruncatedSVD, those that select columns (VarianceThreshold, SelectKBest, ...), and
        "passthrough".
    path : str or path-like
    name, dtype, weights, samples
        As of `fastnn.export_c`; the dtype is that of the network unless another is given.

    Returns
    -------
    report : fastnn.c_source.export.ExportReport

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it does not end in one of fastnn's, or steps or layers have no form in C: the message names all of them.
    ValueError, OSError
        As of `fastnn.export_c`.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from fastnn.sklearn import MLPClassifier, export_c
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array(["low", "low", "high", "high"])
    >>> model = MLPClassifier((8,), solver="lbfgs", random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export_c(model, os.path.join(folder, "model.c"), dtype="float32").constant_bytes
    100
    """
    _, model = split(estimator)
    if not isinstance(model, Exported):
        raise TypeError(
            "estimator must be an MLPClassifier or MLPRegressor of fastnn.sklearn, or a Pipeline that ends in one, got "
            f"{type(model).__name__}"
        )
    check_is_fitted(model)
    return write_c(whole_network(estimator), path, name=name, dtype=dtype, weights=weights, samples=samples)


class ExportedOnnx:
    """Mixin of all estimators: `export_onnx`."""

    def export_onnx(
        self,
        path_or_file: Target | None = None,
        *,
        opset: int | None = None,
        name: str | None = None,
        metadata: Mapping[str, str] | None = None,
        dtype: str | None = None,
    ) -> ModelProto:
        """Write the fitted model as an ONNX model; see `fastnn.sklearn.export_onnx`.

        Parameters
        ----------
        path_or_file : str, path-like or binary file object, optional
        opset, name, metadata, dtype
            As of `fastnn.sklearn.export_onnx`.

        Returns
        -------
        model : onnx.ModelProto
        """
        return export_onnx(self, path_or_file, opset=opset, name=name, metadata=metadata, dtype=dtype)


class Exported(ExportedOnnx):
    """Mixin of the estimators of arrays: `export_onnx` and `export_c`."""

    def export_c(
        self, path: Any, *, name: str = "model", dtype: str | None = None, weights: str = "float", samples: Any = None
    ) -> ExportReport:
        """Write the fitted model as one C99 file without dependencies; see `fastnn.sklearn.export_c`.

        Parameters
        ----------
        path : str or path-like
        name, dtype, weights, samples
            As of `fastnn.sklearn.export_c`.

        Returns
        -------
        report : fastnn.c_source.export.ExportReport
        """
        return export_c(self, path, name=name, dtype=dtype, weights=weights, samples=samples)
