"""The state of a run between two batches, as a checkpoint keeps it: the names of its fields, and what each may be."""

from __future__ import annotations

from .. import _schema as schema
from .. import _validation as check

# What must be the same for a run to go on where another one stopped.
SETTINGS = {
    "seed": schema.integer(0, 2**64 - 1),
    "batch_size": schema.optional(schema.integer(1, check.MAX_ROWS)),
    "accumulate": schema.integer(1, 2**31 - 1),
    "shuffle": schema.switch,
    "samples": schema.optional(schema.integer(1, check.MAX_ROWS)),
    "mixing": schema.text,
    "metrics": schema.listed(schema.text),
}
# Those of few runs; a state that lacks one has the default.
RARE_SETTINGS = {
    "initial_epoch": (schema.integer(0, check.MAX_ROWS), 0),
    "drop_last": (schema.switch, False),
    "steps_per_epoch": (schema.integer(1, check.MAX_ROWS), None),
    "blocks": (schema.integer(1, check.MAX_ROWS), None),
}
PLACE = {
    "first": schema.integer(0, check.MAX_ROWS),
    "epoch": schema.integer(0, check.MAX_ROWS),
    "batch": schema.integer(0, check.MAX_ROWS),
    "position": schema.integer(0, check.MAX_ROWS),
    "seconds": schema.number(at_least=0.0),
    "lr": schema.number(at_least=0.0),
}
FIELDS = {
    **SETTINGS,
    **PLACE,
    "sums": schema.array("float64", 1),
    "history": schema.listed(schema.mapping(schema.number(nan=True))),
    "stopped": schema.optional(schema.text),
    "callbacks": schema.mapping(),
}
RARE_FIELDS = {name: field for name, (field, _) in RARE_SETTINGS.items()}
STATE = schema.record(FIELDS, RARE_FIELDS)
