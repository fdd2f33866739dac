"""Distances, cosines, bilinear maps and one-hot rows, and their gradients: sets the costs of _core/distances.pyx."""

from common import MATRICES, operation

SECTION = "distances"
PAIR = ("normal", "normal")
BILINEAR = ("normal", "eights", "bilinear_weight")


def rows(name, *draws, passes, kernels=None, **options):
    return operation(SECTION, name, draws, passes, MATRICES, kernels, **options)


RECORDS = [
    *rows("normalize", "normal", passes=2),
    *rows("normalize_backward", *PAIR, passes=3),
    *rows("normalize", "normal", passes=2, label="normalize by the 1-norm", p=1.0),
    *rows("pairwise_distance", *PAIR, passes=2),
    *rows("pairwise_distance_backward", "row_normal", *PAIR, passes=4),
    *rows("cosine_similarity", *PAIR, passes=2),
    *rows("cosine_similarity_backward", "row_normal", *PAIR, passes=6),
    *rows("bilinear", *BILINEAR, passes=2, kernels=("matmul", "bilinear")),
    *rows("bilinear_backward", "fours", *BILINEAR, passes=4, kernels=("matmul", "bilinear_backward")),
    *rows("one_hot", "labels", passes=1, kernels=()),
]


def bench_distances(turn, replay):
    replay(turn)
