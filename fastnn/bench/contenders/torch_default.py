"""PyTorch with its default optimizers, which are not fused."""

from __future__ import annotations

from ..cases import Case
from . import torch
from .common import Run

VERSION = torch.VERSION


def fit(case: Case) -> Run:
    """A loop over batches."""
    return torch.fit(case, fused=False)


def step(case: Case) -> Run:
    """One step on one batch."""
    return torch.step(case, fused=False)


def update(case: Case) -> Run | None:
    """An optimizer of one parameter."""
    return torch.update(case, fused=False)
