"""The static memory of a network in C: rows that are needed at the same time never overlap."""

import numpy as np

from fastnn import nn
from fastnn.c_source.memory import CONSTANTS, Memory
from support.traced import CASES
from support.traced_modules import Traced


def test_rows_that_are_needed_at_the_same_time_have_places_of_their_own():
    for case in CASES.values():
        net = nn.Sequential(Traced(case), nn.Softmax(), seed=0)
        program = net.plan_program("predict", 1, case.features)
        memory = Memory.of(program.operations, 4)
        for a in memory.buffers:
            for b in memory.buffers:
                if a is not b and a.first <= b.last and b.first <= a.last:
                    assert a.offset + a.nbytes <= b.offset or b.offset + b.nbytes <= a.offset
        assert memory.size * 4 == max((b.offset + b.nbytes for b in memory.buffers), default=0)


def test_a_deep_network_needs_two_rows_at_a_time():
    net = nn.Sequential(*(layer for _ in range(6) for layer in (nn.Linear(16, 16), nn.ReLU())), seed=0)
    memory = Memory.of(net.plan_program("predict", 1, 16).operations, 4)
    assert memory.size == 32


def test_operands_that_do_not_change_are_no_rows():
    net = nn.Sequential(nn.Linear(3, 2), seed=0)
    operation = net.plan_program("predict", 1, 3).operations[0]
    assert {role for role, a in operation.arrays.items() if isinstance(a, np.ndarray)} <= set(CONSTANTS)
