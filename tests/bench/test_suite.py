"""The cases of `fastnn bench`."""

from fastnn.bench.suite import suite


def test_the_cases_of_the_command_are_different_ones():
    names = [f"{case.section}: {case}" for case in suite()]
    assert len(set(names)) == len(names)
