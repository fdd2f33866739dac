"""Embedding, and the gradient of its table: sets COST in fastnn/_core/embedding.pyx and embedding_bag.pyx."""

from common import operation

SHAPES = ((32, 8), (5000, 16), (5000, 128))

RECORDS = [
    *operation("embedding", "embedding", ("codes", "table"), 2, SHAPES, ("embedding", "bad_code")),
    *operation(
        "embedding", "embedding_backward", ("normal", "codes", "table"), 3, SHAPES, ("embedding_backward", "bad_code")
    ),
    *operation("embedding", "embedding", ("codes", "table"), 2, SHAPES, ("embedding_bag", "row_scales", "scale_rows"),
               label="embedding of limited norm", max_norm=1.0),
    *operation("embedding", "embedding_backward", ("normal", "codes", "table"), 3, SHAPES,
               ("embedding_bag_backward", "count_codes"), label="embedding_backward by frequency",
               scale_grad_by_freq=True),
    *operation("embedding", "embedding_bag", ("bags", "table"), 9, SHAPES, ("embedding_bag", "bad_code")),
    *operation("embedding", "embedding_bag_backward", ("normal", "bags", "table"), 10, SHAPES,
               ("embedding_bag_backward", "bad_code")),
    *operation("embedding", "embedding_bag_backward", ("normal", "bags", "table"), 10, SHAPES,
               ("embedding_bag_backward",), label="embedding_bag_backward of the largest",
               mode="max"),
]  # fmt: skip


def bench_embedding(turn, replay):
    replay(turn)
