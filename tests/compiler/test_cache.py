"""Programs are kept within a budget of bytes."""

import numpy as np

from fastnn import nn
from fastnn.compiler import cache


def test_programs_are_not_kept_for_ever():
    layer, net = nn.ReLU(), nn.Sequential(nn.Tanh())
    for width in range(1, 400):
        layer(np.zeros((1000, width), "float32"))
        net.predict(np.zeros((1000, width), "float32"))
    for of in (layer._alone("float32"), net):
        sizes = [cache.size_of(program) for program in of._programs]
        assert len(sizes) >= cache.LEAST
        assert sum(sizes[: -cache.LEAST]) <= cache.BUDGET
        assert sum(sizes) < 2 * cache.BUDGET


def test_the_programs_used_last_are_kept(monkeypatch):
    monkeypatch.setattr(cache, "BUDGET", 0)  # so that only the last four are
    kept = cache.ProgramCache()
    made = []

    def get(width):
        def make():
            made.append(width)
            return nn.Sequential(nn.Tanh()).plan_program("predict", 4, width)

        return kept.get(width, 1, make)

    for width in (1, 2, 1, 3, 4, 5, 1, 2):
        get(width)
    assert made == [1, 2, 3, 4, 5, 2]  # 2 went as 5 came: 1 had been used since
