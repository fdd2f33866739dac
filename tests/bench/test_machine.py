"""The description of the machine, and the rate that bounds a case."""

import dataclasses

import fastnn
from fastnn.bench import cases, machine
from fastnn.bench.machine import Peak


def test_the_rate_that_bounds_a_case():
    peak = Peak({"float32": 1e11}, {100: 3e10, 1000: 2e10})
    flops = cases.linear(32, 64, 64)
    assert peak.rate(flops) == 1e11
    assert peak.rate(dataclasses.replace(flops, dtype="float64")) is None
    shapes = {1: 3e10, 30: 3e10, 10**6: 2e10}
    assert {n: peak.rate(cases.activation("relu", n)) for n in shapes} == shapes
    assert peak.rate(cases.startup()) is None


def test_the_machine_is_described():
    about = machine.describe(2)
    assert list(about) == ["date", "processor", "system", "instruction set", "threads"]
    assert about["instruction set"] == fastnn.get_isa()
    assert all(size > 1024 for size in machine.caches().values())
    assert machine.copy_rate(2**18, 1) > 1e8
    assert machine.binary(3 * 2**19) == "1.5 MiB"
