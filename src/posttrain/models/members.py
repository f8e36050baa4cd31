"""The members of an ensemble that have adapters of their own on one trunk."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Members:
    """How many members have adapters of their own, of which rank and scale, above how many layers that all share."""

    count: int
    rank: int
    alpha: float
    shared: int
    rslora: bool = False

    @property
    def scale(self) -> float:
        """What the product of the two matrices of an adapter is multiplied by."""
        return self.alpha / (math.sqrt(self.rank) if self.rslora else self.rank)
