"""Pictures are closed after each test."""

import pytest


@pytest.fixture(autouse=True)
def closed():
    yield
    from matplotlib import pyplot

    pyplot.close("all")
