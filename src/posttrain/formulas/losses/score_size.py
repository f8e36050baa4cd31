"""Penalties on the size of a reward model's scores, one per row [B]."""

from __future__ import annotations

import torch

from posttrain.core.parts import PerRow

EDGE = 1e-3  # of the band, inside which the barrier is finite


def squared_score(score: PerRow) -> PerRow:
    """Square of the score: r²."""
    return score**2


def log_barrier(score: PerRow, *, band: float = 5.0) -> PerRow:
    """Barrier that keeps scores inside a band; beyond its edge it goes on as a straight line.

        -log(b + r) - log(b - r)

    Settings:
        band: b, largest score in size; 5 in InternLM2.
    """
    return _minus_log(band + score) + _minus_log(band - score)


def _minus_log(x: PerRow) -> PerRow:
    inside = x.clamp(min=EDGE)
    return -torch.log(inside) + (inside - x) / EDGE
