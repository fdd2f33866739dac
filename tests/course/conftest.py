"""Pictures are drawn without a display, and closed after each test."""

import pytest

try:
    import matplotlib
except ImportError:  # the tests skip themselves
    pass
else:
    matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    from matplotlib import pyplot

    pyplot.close("all")
