"""Embedding, and the gradient of its table: sets COST in fastnn/_core/embedding.pyx."""

from common import operation

SHAPES = ((32, 8), (5000, 16), (5000, 128))

RECORDS = [
    *operation("embedding", "embedding", ("codes", "table"), 2, SHAPES, ("embedding", "bad_code")),
    *operation(
        "embedding", "embedding_backward", ("normal", "codes", "table"), 3, SHAPES, ("embedding_backward", "bad_code")
    ),
]


def bench_embedding(turn, replay):
    replay(turn)
