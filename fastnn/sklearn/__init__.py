"""Estimators for scikit-learn: its MLPClassifier and MLPRegressor, trained and run by fastnn.

The same parameters, defaults, attributes, warnings and errors as the pair of scikit-learn 1.9, then further keywords.
`docs/coming_from_sklearn.md` has the two-line change. Needs scikit-learn: pip install "fastnn-core[sklearn]".
"""

try:
    import sklearn as _sklearn
except ImportError as error:
    raise ImportError(
        'fastnn.sklearn needs scikit-learn, which is not installed: pip install "fastnn-core[sklearn]"'
    ) from error

from .classifier import MLPClassifier
from .export.exported import export_c, export_onnx
from .persistence import load
from .regressor import MLPRegressor
from .tabular import TabularClassifier, TabularRegressor

del _sklearn

__all__ = ["MLPClassifier", "MLPRegressor", "TabularClassifier", "TabularRegressor", "export_c", "export_onnx", "load"]


def __dir__() -> list[str]:
    return sorted(__all__)
