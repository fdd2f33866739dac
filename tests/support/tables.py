"""Options of embeddings and bags of rows of a table that numbers of PyTorch are recorded for."""

import numpy as np

OFFSETS = np.array([0, 3, 3, 4])  # the second bag is empty
TABLES = {
    "embedding freq": {"scale_grad_by_freq": True, "padding_idx": 2},
    "embedding max_norm": {"max_norm": 2.0},
    "embedding max_norm 1": {"max_norm": 3.0, "norm_type": 1.0, "scale_grad_by_freq": True},
    "bag sum": {"mode": "sum"},
    "bag mean": {"mode": "mean", "padding_idx": 2},
    "bag max": {"mode": "max", "padding_idx": 2},
    "bag offsets sum": {"mode": "sum", "offsets": OFFSETS},
    "bag offsets mean": {"offsets": OFFSETS, "max_norm": 2.0},
    "bag offsets max": {"mode": "max", "offsets": OFFSETS},
    "bag offsets last": {"mode": "sum", "offsets": np.append(OFFSETS, 10), "include_last_offset": True},
    "bag samples": {"mode": "sum", "padding_idx": 2},
    "bag offsets samples": {"mode": "sum", "offsets": OFFSETS},
}  # those called "samples" have per_sample_weights too
