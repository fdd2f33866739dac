"""Elementary functions."""

from common import operation

DRAWS = {"exp": "normal", "expm1": "normal", "log": "uniform", "log1p": "uniform", "erf": "normal"}

RECORDS = [
    *(record for name, draw in DRAWS.items() for record in operation("elementary functions", name, (draw,), passes=2)),
    *(
        record
        for name in ("add", "subtract", "multiply", "divide", "affine_backward", "reciprocal_backward")
        for record in operation("elementary functions", name, ("normal", "normal"), passes=3)
    ),
    *(
        record
        for name in ("affine", "reciprocal")
        for record in operation("elementary functions", name, ("normal",), passes=2)
    ),
    *(
        record
        for name, draw in {**DRAWS, "exp": "uniform"}.items()
        for record in operation("elementary functions", f"{name}_backward", ("normal", draw), passes=3)
    ),
]


def bench_elementary(turn, replay):
    replay(turn)
