"""The time until `import fastnn` is done, in a new process; NumPy's is part of it."""

from common import Aim, record

from fastnn.bench.cases import startup

RECORDS = [record(startup(), Aim(1.0, ("numpy",), slack=0.03))]


def bench_import(turn, replay):
    replay(turn)
