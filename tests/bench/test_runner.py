"""The runner of `fastnn bench`: contenders that take turns, fail, hang, or differ in their threads."""

import dataclasses
from pathlib import Path

from bench.test_cases import NETWORKS
from fastnn.bench import cases, report, runner
from fastnn.bench.machine import Peak
from fastnn.bench.report import Measurement
from fastnn.bench.runner import Contender, Runner


def test_contenders_take_turns(fakes):
    with Runner([Contender("fakes.steady"), Contender("fakes.steady", 2)]) as running:
        results = running.measure(fakes, 0.1)
        pids = [str(process.process.pid) for process in running.processes.values()]
    assert all(len(result.samples) >= runner.MIN_ROUNDS for result in results.values())
    runs = Path(fakes.options["log"]).read_text().split()
    turns = [pid for i, pid in enumerate(runs) if i == 0 or pid != runs[i - 1]]  # with what warms up
    rounds = len(results[Contender("fakes.steady")].samples)
    assert turns[-2 * rounds :] == pids * rounds


def test_the_time_is_that_of_a_part(fakes):
    with Runner([Contender("fakes.steady")]) as running:
        whole = running.measure(fakes, 0.01)[Contender("fakes.steady")].min
        part = running.measure(dataclasses.replace(fakes, parts=10), 0.01)[Contender("fakes.steady")].min
    assert 5 < whole / part < 20


def test_a_contender_that_fails_leaves_the_others_alone(fakes):
    names = ("steady", "dying", "failing", "absent")
    steady, dying, failing, absent = (Contender(f"fakes.{name}") for name in names)
    with Runner([steady, dying, failing, absent]) as running:
        assert "a_library_that_nobody_has" in running.missing[absent]
        for _ in range(2):  # who died is started again
            results = running.measure(fakes, 0.05)
            assert len(results[steady].samples) >= runner.MIN_ROUNDS
            assert not results[steady].problem
            assert results[dying].problem == "ended with code 3: what a pity"
            assert results[failing].problem == "ValueError: no such luck"
            assert absent not in results
        table = "\n".join(report.table([Measurement(fakes, results)], Peak()))
    assert "nothing 10: fakes.dying: ended with code 3: what a pity" in table
    assert "failed" in table


def test_a_contender_that_hangs_is_given_up(fakes, monkeypatch):
    hanging = Contender("fakes.hanging")
    with Runner([hanging]) as running:
        monkeypatch.setattr(runner, "TIMEOUT", 0.2)
        assert running.measure(fakes, 0.05)[hanging].problem == "took more than 0.2 s"
        assert running.processes[hanging].closed


def test_what_no_one_knows_has_no_results(fakes):
    with Runner([Contender("fakes.steady")]) as running:
        assert running.measure(cases.step(NETWORKS[0]), 0.01) == {}


def test_numbers_of_threads_within_one_process():
    two, one = Contender("native", 2, within=2), Contender("native", 1, within=2)
    for contender in (two, one, Contender("native"), Contender("native", 2)):
        assert Contender.parse(str(contender)) == contender
    with Runner() as running:
        results = running.measure(cases.step(NETWORKS[0]), 0.01, (two, one))
        assert list(running.processes) == [Contender("native", 2)]
    assert all(result.samples and not result.problem for result in results.values())
    assert list(results) == [two, one]
