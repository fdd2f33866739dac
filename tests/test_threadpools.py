"""threadpoolctl limits the threads of fastnn, whichever of the two is imported first."""

import sys

import pytest

import fastnn
from fastnn import _settings, _threadpools
from test_processes import python

pytest.importorskip("threadpoolctl")

USE = """
fastnn.set_num_threads(3)
mine = [info for info in threadpoolctl.threadpool_info() if info["user_api"] == "fastnn"]
with threadpoolctl.threadpool_limits(2):
    inside = fastnn.get_num_threads()
with threadpoolctl.threadpool_limits(5000, user_api="fastnn"):
    most = fastnn.get_num_threads()
with threadpoolctl.threadpool_limits(1, user_api="blas"):
    other = fastnn.get_num_threads()
print(len(mine), mine[0]["num_threads"], mine[0]["version"], inside, most, other, fastnn.get_num_threads())
"""


@pytest.mark.parametrize("first", ["import fastnn; import threadpoolctl", "import threadpoolctl; import fastnn"])
def test_threadpoolctl_limits_fastnn(first):
    assert python(first + USE) == f"1 3 {fastnn.__version__} 2 1024 3 3"


def test_it_is_not_imported_for_that():
    hooks = "sum('Threadpoolctl' in repr(f) for f in sys.meta_path)"
    before = python(f"import sys; print({hooks})")
    assert python(f"import sys, fastnn; print('threadpoolctl' in sys.modules, {hooks})") == f"False {int(before) + 1}"
    assert python(f"import sys, fastnn, threadpoolctl; print({hooks})") == before


def test_an_old_threadpoolctl_and_none():
    _threadpools.register(sys)  # a module without `register`
    assert _settings.Threadpoolctl.find_spec("somewhere.else") is None
    code = """
import fastnn, sys
sys.path[:] = []
try:
    import threadpoolctl
except ImportError:
    print("not there", fastnn.get_num_threads() > 0)
"""
    assert python(code) == "not there True"
