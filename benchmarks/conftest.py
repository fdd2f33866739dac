"""Benchmarks as tests: one for each contender of each record, timed for pytest-benchmark by a replayed clock.

The first test of a record measures all its contenders in turn, in processes of their own (fastnn.bench.runner). Each
test then replays the times of its contender, so that the tables, comparisons and saved runs of pytest-benchmark work.
"""

from collections import defaultdict

import common
import pytest

import fastnn
from fastnn.bench import worker


def pytest_addoption(parser):
    parser.addoption("--tiny", action="store_true", help="each sort of record once, on little data, in this process")
    parser.addoption("--measurements", metavar="FILE", help="write everything that was measured, for results.py")


def pytest_report_header():
    return f"fastnn {fastnn.__version__}: {fastnn.get_isa()}"


def pytest_generate_tests(metafunc):
    """Run a function that takes a turn once for each contender of each of its module's RECORDS."""
    if "turn" in metafunc.fixturenames:
        turns = common.turns(metafunc.module.RECORDS, metafunc.config.getoption("tiny"))
        marked = [pytest.param(t, marks=pytest.mark.benchmark(group=str(t.record), timer=clock)) for t in turns]
        metafunc.parametrize("turn", marked, ids=list(map(str, turns)))


def clock():
    """The time that replays have taken so far."""
    return clock.now


clock.now = 0.0


@pytest.fixture(scope="session")
def session(request):
    """The session; at the end its measurements are saved."""
    session = request.config.stash[SESSION] = common.Session()
    with session.runner:
        yield session
    path = request.config.getoption("measurements")
    if path:
        session.save(path)


SESSION = pytest.StashKey[common.Session]()


@pytest.fixture(scope="session")
def chosen(request):
    """The contenders whose tests were selected, by record."""
    contenders = defaultdict(list)
    for item in request.session.items:
        turn = item.callspec.params["turn"]
        contenders[str(turn.record)].append(turn.contender)
    return contenders


@pytest.fixture
def replay(request, benchmark):
    """Run a turn."""
    if request.config.getoption("tiny"):
        return lambda turn: benchmark.pedantic(run_here, args=(turn,))
    session, chosen = request.getfixturevalue("session"), request.getfixturevalue("chosen")
    seconds = float(request.config.getoption("benchmark_max_time"))

    def replay(turn):
        if turn.contender in session.runner.missing:
            pytest.skip(session.runner.missing[turn.contender])
        result = session.result(turn, chosen[str(turn.record)], seconds)
        if result is None:
            pytest.skip(session.runner.missing.get(turn.contender, f"{turn.contender} has no such thing"))
        if result.problem:
            pytest.fail(f"{turn.contender}: {result.problem}", pytrace=False)
        samples = iter(result.samples)

        def advance():
            clock.now += next(samples, 0.0)

        benchmark.pedantic(advance, rounds=len(result.samples))

    return replay


def run_here(turn):
    """One repetition, in this process."""
    prepare = getattr(worker.load(turn.contender.name), turn.record.case.kind, None)
    run = prepare and prepare(turn.record.case)
    if run is None:
        pytest.skip(f"{turn.contender} has no such thing")
    run(1)


def pytest_benchmark_update_machine_info(machine_info):
    machine_info["fastnn"] = {"isa": fastnn.get_isa()}


@pytest.hookimpl(trylast=True)  # after the tables of pytest-benchmark
def pytest_terminal_summary(terminalreporter, config):
    """The tables of `fastnn bench`: rates, fractions of the peak, and ratios."""
    session = config.stash.get(SESSION, None)
    if session is not None and session.measurements:
        terminalreporter.section("least times, and how many times as long as fastnn's others are")
        for line in session.tables():
            terminalreporter.write_line(line)
