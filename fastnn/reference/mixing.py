"""Batches whose rows are mixed with each other."""

from .elementary import Array

__all__ = ["mix_rows"]


def mix_rows(rows: Array, partners: Array, share: float) -> Array:
    """Return share * rows + (1 - share) * partners, in their dtype."""
    one = rows.dtype.type(share)
    return one * rows + (1 - one) * partners
