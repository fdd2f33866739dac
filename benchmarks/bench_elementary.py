"""Elementary functions."""

from common import arrays, normal, operation, run, uniform

DRAWS = {"exp": normal, "expm1": normal, "log": uniform, "log1p": uniform, "erf": normal}

RECORDS = tuple(operation(name, arrays(draw), passes=2) for name, draw in DRAWS.items())


def bench_elementary(case, benchmark):
    run(case, benchmark)
