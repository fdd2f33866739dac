"""The tables of `fastnn bench`."""

import dataclasses
import json

import pytest

from fastnn.bench import report
from fastnn.bench.cases import Case
from fastnn.bench.machine import Peak
from fastnn.bench.report import Measurement
from fastnn.bench.runner import Contender, Result

OURS, THEIRS, OTHERS = Contender("native"), Contender("jax"), Contender("torch_default")


def measurement(label="a", theirs=3e-6, **changes):
    case = Case("function", "things", label, work=4e3, unit="B")
    return Measurement(
        dataclasses.replace(case, **changes), {OURS: Result([2e-6, 1e-6]), THEIRS: Result([theirs, 1.0])}
    )


def test_a_table():
    peak = Peak({}, {1000: 16e9, 2000: 8e9, 5000: 1e9})
    failed = measurement("other", dtype="float64")
    failed.results[OTHERS] = Result([], "it broke")
    assert report.table([measurement(), failed], peak) == [
        "things          fastnn  GB/s  peak           jax  torch default",
        "a              1.00 us  4.00   50%  3.00 us 3.00              -",
        "other float64  1.00 us  4.00   50%  3.00 us 3.00         failed",
        "  other float64: torch default: it broke",
    ]


def test_columns_say_threads_where_they_differ_and_go_where_they_are_empty():
    results = {Contender("native", 2): Result([1e-3]), OURS: Result([0.123])}
    assert report.table([Measurement(Case("startup", "import", "import"), results)], Peak()) == [
        "import  fastnn x2    fastnn x1",
        "import    1.00 ms  123 ms  123",
    ]


def test_numbers_have_three_digits():
    shown = [report.three_digits(x) for x in (0.01234, 0.9999, 1.0, 9.999, 12.34, 99.96, 123.4, 999.4, 999.7, 12345.0)]
    assert shown == ["0.0123", "1.00", "1.00", "10.0", "12.3", "100", "123", "999", "1000", "12345"]
    durations = [report.duration(Result([seconds])) for seconds in (2.5, 1e-3, 3.2e-5, 4e-9)]
    assert durations == ["2.50 s", "1.00 ms", "32.0 us", "4.00 ns"]


def test_measurements_survive_json():
    before = measurement(theirs=2.5e-6)
    values = json.loads(json.dumps(before.to_json(Peak({}, {1: 8e9}))))
    assert values["share"] == 0.5
    jax = dict(values["results"]["jax"])
    assert (jax.pop("samples"), jax.pop("problem")) == ([2.5e-6, 1.0], "")
    assert jax == pytest.approx({"min": 2.5e-6, "median": 0.5, "ratio": 2.5}, rel=1e-3)
    after = Measurement.from_json(values)
    assert after.case == before.case
    assert after.results == before.results
    assert Contender.parse(str(Contender("torch", 4))) == Contender("torch", 4)


def test_sections_keep_their_order_and_threads_apart():
    first, second = measurement("first"), measurement("second", section="more things")
    third = Measurement(first.case, {Contender("native", 2): Result([1.0])})
    last = measurement("last")
    assert list(report.sections([first, second, third, last])) == [[first, last], [second], [third]]
