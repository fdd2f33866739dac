"""scikit-learn's own tests of its pair, sklearn/neural_network/tests/test_mlp.py, with only the imports exchanged.

The installed file is read, its one import of the pair is rewritten, and all of its tests are collected here. Those that
cannot hold are in LEFT_OUT, each with the reason.
"""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed", minversion="1.9")

FOUND = importlib.util.find_spec("sklearn.neural_network.tests")
if FOUND is None or not (Path(FOUND.submodule_search_locations[0]) / "test_mlp.py").exists():
    pytest.skip("scikit-learn is installed without its tests", allow_module_level=True)

PATH = Path(FOUND.submodule_search_locations[0]) / "test_mlp.py"
THEIRS = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
OURS = "from fastnn.sklearn import MLPClassifier, MLPRegressor"

# Tests of private attributes that fastnn does not have. There are none: `_optimizer.learning_rate`,
# `_no_improvement_count` and `_loss_grad_lbfgs`, which some tests read, mean the same here.
LEFT_OUT: dict[str, str] = {}

# Warnings are as scikit-learn's own configuration has them; here every warning is an error otherwise.
pytestmark = pytest.mark.filterwarnings("default")

SOURCE = PATH.read_text()
exec(compile(SOURCE.replace(THEIRS, OURS), str(PATH), "exec"), globals())
for _name in LEFT_OUT:
    del globals()[_name]


@pytest.fixture(params=[0, 42])
def global_random_seed(request):
    return request.param


def test_only_the_imports_are_exchanged():
    assert SOURCE.count(THEIRS) == 1
    assert MLPClassifier.__module__ == "fastnn.sklearn.classifier"  # noqa: F821
    assert MLPRegressor.__module__ == "fastnn.sklearn.regressor"  # noqa: F821
    assert set(LEFT_OUT) <= {line[4:].split("(")[0] for line in SOURCE.splitlines() if line.startswith("def test_")}
