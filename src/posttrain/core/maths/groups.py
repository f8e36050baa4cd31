"""Statistics over the rows of a group: one number per row, from those rows of its group that count."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

EQUAL = 1e-12  # numbers that are closer differ by rounding


@dataclass(frozen=True)
class Groups:
    """Rows by group. Every statistic is [B] -> [B], and only the rows marked in `counts` enter it."""

    index: Tensor  # [B] number of the group, 0 .. count-1
    counts: Tensor  # [B] bool
    count: int

    @classmethod
    def of(cls, group: Tensor, counts: Tensor) -> Groups:
        """Number the groups. `group` [B]: any integers; `counts` [B]: bool."""
        ids, index = torch.unique(group, return_inverse=True)
        return cls(index, counts, len(ids))

    def sum(self, x: Tensor) -> Tensor:
        """Sum over the rows of the same group: [B] -> [B]."""
        totals = x.new_zeros(self.count).index_add(0, self.index, torch.where(self.counts, x, 0))
        return totals[self.index]

    def size(self) -> Tensor:
        """Count the rows in each row's group: [B]."""
        return torch.bincount(self.index[self.counts], minlength=self.count)[self.index]

    def mean(self, x: Tensor) -> Tensor:
        """Average over the rows of the same group: [B] -> [B]; 0 for a group without rows that count."""
        return self.sum(x) / self.size().clamp(min=1)

    def max(self, x: Tensor) -> Tensor:
        """Largest over the rows of the same group: [B] -> [B]; -inf for a group without rows that count."""
        counted = torch.where(self.counts, x, -torch.inf)
        largest = x.new_full((self.count,), -torch.inf)
        return largest.scatter_reduce(0, self.index, counted, "amax")[self.index]

    def std(self, x: Tensor, ddof: int) -> Tensor:
        """Standard deviation over the rows of the same group: [B] -> [B]; 0 for a group of fewer than two rows."""
        squares = self.sum((x - self.mean(x)) ** 2)
        return (squares / (self.size() - ddof).clamp(min=1)).sqrt()

    def standardise(self, x: Tensor, eps: float, ddof: int) -> Tensor:
        """Compute (x - mean) / (std + ε) within each group: [B] -> [B]; 0 where all numbers of a group are equal."""
        std = self.std(x, ddof)
        return torch.where(std > EQUAL, (x - self.mean(x)) / (std + eps), 0)


def peers(group: Tensor, counts: Tensor) -> Tensor:
    """Mark for each row the rows of its group that count, and itself: [B] -> [B, B] bool."""
    own = torch.eye(len(group), dtype=torch.bool, device=group.device)
    return (group[None] == group[:, None]) & counts[None] | own


def logsumexp_over(x: Tensor, over: Tensor) -> Tensor:
    """Compute log Σ_j e^{x_j} over the columns j that each row of `over` [B, B] marks: [B] -> [B]."""
    return torch.where(over, x[None], -torch.inf).logsumexp(1)
