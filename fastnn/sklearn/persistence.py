"""Files of fitted estimators, without pickle: `model.save(path)` and `load(path)`."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.validation import check_is_fitted

from .._validation import Array
from .._version import __version__
from ..files.format import FileFormatError, read, write
from ..files.objects import Source, Target, label
from ..files.values import Values
from ..nn.loading import load as load_network
from ..training import History
from .prediction import Predictor

KIND = "estimator"
# Fitted attributes that a file holds, where they are there.
NUMBERS = (
    "n_features_in_", "n_outputs_", "n_layers_", "n_iter_", "t_", "loss_", "best_loss_", "best_validation_score_",
    "temperature_", "_no_improvement_count",
)  # fmt: skip
CURVES = ("loss_curve_", "validation_scores_", "validation_loss_curve_")
WORDS = ("out_activation_",)
LABELS = ("classes_", "feature_names_in_")


MODELS: dict[str, Any] = {}  # the classes that files may name


class Saved:
    """Mixin of the estimators: `save`."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if cls.__module__.startswith("fastnn.sklearn."):
            MODELS[cls.__name__] = cls

    def save(self, path: Target) -> None:
        """Write the fitted model as one file, at a path atomically; `fastnn.sklearn.load` reads it. No pickle.

        It holds the parameters, the networks, the classes, the names of columns and the records of training, not the
        state of the optimizer.

        Parameters
        ----------
        path : str, path-like or binary file object

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        TypeError
            If the classes are neither numbers nor strings.
        OSError
            If the file cannot be written; an old file is then still there.

        Warns
        -----
        UserWarning
            If a parameter is an object that a file cannot hold, such as a function: a loaded model has its default.
        """
        check_is_fitted(self)
        tensors: dict[str, Array] = {}
        write(path, KIND, tensors, {"estimator": _encode(self, tensors, "model")})


def _encode(model: Any, tensors: dict[str, Array], where: str) -> dict[str, Any]:
    """A model as JSON; its arrays are added to `tensors`."""
    values, params = Values(tensors), {}
    for name, value in model.get_params(deep=False).items():
        try:
            params[name] = values.encode(value, f"{where}.{name}")
        except TypeError:
            warnings.warn(
                f"a file cannot hold {name}={value!r:.60}: the loaded model will have its default",
                UserWarning,
                stacklevel=4,
            )
    state = model.__dict__
    fitted = {name: values.encode(state[name], f"{where}.{name}") for name in (*NUMBERS, *WORDS) if name in state}
    for name in CURVES:
        if state.get(name) is not None:
            fitted[name] = values.encode(np.asarray(state[name], "float64"), f"{where}.{name}")
    fitted |= {name: _encode_labels(state[name], f"{where}.{name}") for name in LABELS if name in state}
    if "_label_binarizer" in state:
        fitted["y_type_"] = state["_label_binarizer"].y_type_
    spec: dict[str, Any] = {
        "class": type(model).__name__,
        "params": {"dict": [list(pair) for pair in params.items()]},
        "fitted": fitted,
    }
    members = state.get("estimators_")
    if hasattr(model, "_file_state"):
        spec["state"] = values.encode(model._file_state(), f"{where}.state")
    elif members is not None:
        spec["estimators"] = [_encode(member, tensors, f"{where}.{i}") for i, member in enumerate(members)]
    else:
        file = io.BytesIO()
        model._current().net.save(file)
        spec["network"] = values.encode(np.frombuffer(file.getvalue(), "uint8"), f"{where}.network")
    return spec


def _encode_labels(labels: Any, where: str) -> dict[str, Any]:
    """Class labels or names: a list with the name of their dtype."""
    items = np.asarray(labels).tolist()
    if not all(isinstance(item, (str, bool, int, float)) for item in items):
        raise TypeError(f"{where}: a file can hold labels that are numbers or strings, got {labels!r:.80}")
    return {"dtype": np.asarray(labels).dtype.str, "items": items}


def load(path: Source) -> Any:
    """Load the model that `model.save(path)` wrote.

    Parameters
    ----------
    path : str, path-like, binary file object or bytes

    Returns
    -------
    model : MLPClassifier, MLPRegressor, TabularClassifier or TabularRegressor
        Its predictions have the bits of those of the model that was saved. The optimizer begins anew.

    Raises
    ------
    FileFormatError
        If the file is truncated, damaged, or not one of a model. No code in a file is ever run.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> from fastnn.sklearn import MLPClassifier, load
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array(["low", "low", "high", "high"])
    >>> file = io.BytesIO()
    >>> MLPClassifier(solver="lbfgs", random_state=0).fit(X, y).save(file)
    >>> load(file.getvalue()).predict(X).tolist()
    ['low', 'low', 'high', 'high']
    """
    tensors, content = read(path, KIND)
    try:
        return _decode(content["estimator"], tensors, "model")
    except FileFormatError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise FileFormatError(f"{label(path)}: no model that fastnn {__version__} writes ({error!s:.200})") from error


def _decode(spec: dict[str, Any], tensors: dict[str, Array], where: str) -> Any:
    values = Values(tensors)
    model = MODELS[spec["class"]]()
    params = values.decode(spec["params"], where)
    model.set_params(**params)
    fitted = dict(spec["fitted"])
    state: dict[str, Any] = {}
    for name in LABELS:
        if name in fitted:
            labels = fitted.pop(name)
            state[name] = np.array(labels["items"], np.dtype(labels["dtype"]))
    y_type = fitted.pop("y_type_", None)
    known = {*NUMBERS, *WORDS, *CURVES}
    for name, value in fitted.items():
        if name not in known:
            raise ValueError(f"{where}: no attribute of a model: {name!r:.40}")
        decoded = values.decode(value, f"{where}.{name}")
        state[name] = decoded.tolist() if name in CURVES else decoded
    if y_type is not None:
        binarizer = LabelBinarizer()
        binarizer.classes_, binarizer.y_type_, binarizer.sparse_input_ = state["classes_"], str(y_type), False
        state["_label_binarizer"] = binarizer
    if "state" in spec:
        model._set_file_state(values.decode(spec["state"], f"{where}.state"))
    elif "estimators" in spec:
        state["estimators_"] = [_decode(one, tensors, f"{where}.{i}") for i, one in enumerate(spec["estimators"])]
    else:
        net = load_network(values.decode(spec["network"], where).tobytes())
        predictor = Predictor(net)
        state |= {"network_": net, "_predictor": predictor, "history_": History()}
        state |= {"coefs_": list(predictor.coefs), "intercepts_": list(predictor.intercepts)}
        state.setdefault("validation_scores_", None)
    model.__dict__.update(state)
    return model
