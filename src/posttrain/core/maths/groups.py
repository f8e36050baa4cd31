"""Statistics of rows that share a group id: one number per row, from the rows of its group that count."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Groups:
    """`group` [B] holds any integers; only the rows in `counts` [B] bool enter a statistic."""

    index: Tensor  # [B] number of the group, 0 .. count-1
    counts: Tensor  # [B] bool
    count: int

    @classmethod
    def of(cls, group: Tensor, counts: Tensor) -> Groups:
        ids, index = torch.unique(group, return_inverse=True)
        return cls(index, counts, len(ids))

    def sum(self, x: Tensor) -> Tensor:
        """[B] -> [B], the sum over the rows of the same group."""
        totals = x.new_zeros(self.count).index_add(0, self.index, torch.where(self.counts, x, 0))
        return totals[self.index]

    def size(self) -> Tensor:
        return torch.bincount(self.index[self.counts], minlength=self.count)[self.index]

    def mean(self, x: Tensor) -> Tensor:
        return self.sum(x) / self.size().clamp(min=1)

    def std(self, x: Tensor, ddof: int) -> Tensor:
        """0 for a group too small to have a spread."""
        squares = self.sum((x - self.mean(x)) ** 2)
        return (squares / (self.size() - ddof).clamp(min=1)).sqrt()


def peers(group: Tensor, counts: Tensor) -> Tensor:
    """[B, B]: the rows of the same group that count; each row is its own peer."""
    own = torch.eye(len(group), dtype=torch.bool, device=group.device)
    return (group[None] == group[:, None]) & counts[None] | own


def logsumexp_over(x: Tensor, over: Tensor) -> Tensor:
    """log Σ_j e^{x_j} over the columns j of `over` [B, B] that each row marks: [B]."""
    return torch.where(over, x[None], -torch.inf).logsumexp(1)
