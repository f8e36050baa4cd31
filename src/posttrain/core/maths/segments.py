"""Segments: tokens of an answer that count as one action, and sums and values of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from posttrain.core.rows import Rows


@dataclass(frozen=True, eq=False)
class Segments:
    """The map between the tokens [T] of a batch and its S segments, which lie in the order of the tokens."""

    place: Tensor  # [M] flat index of each masked-in token
    index: Tensor  # [M] number of its segment
    rows: Rows  # of the segments: row of each of the S segments
    tokens: int  # T

    @classmethod
    def of(cls, starts: Tensor, rows: Rows) -> Segments:
        """Begin a segment at each masked-in token where `starts` [T] is not 0, and at the first one of each row."""
        place = rows.mask.nonzero()[:, 0]
        first = (starts[place] != 0) | (rows.position()[place] == 0)
        owner = rows.index[place][first]
        return cls(place, first.cumsum(0) - 1, Rows(owner, torch.ones_like(first[first]), rows.count), len(rows.index))

    def length(self) -> Tensor:
        """Count the tokens of each segment: [S]."""
        return torch.bincount(self.index, minlength=len(self.rows.index))

    def position(self) -> Tensor:
        """Number the tokens of each segment from 0: [T]; 0 outside the mask."""
        length = self.length()
        number = torch.arange(len(self.index), device=self.index.device) - (length.cumsum(0) - length)[self.index]
        return number.new_zeros(self.tokens).index_copy(0, self.place, number)

    def sum(self, x: Tensor) -> Tensor:
        """Add up the tokens of each segment: [T] -> [S]."""
        return torch.segment_reduce(x[self.place], "sum", lengths=self.length(), unsafe=True, initial=0)

    def first(self, x: Tensor) -> Tensor:
        """Take the first token of each segment: [T] -> [S]."""
        return self.sum(torch.where(self.position() == 0, x, 0))

    def last(self, x: Tensor) -> Tensor:
        """Take the last token of each segment: [T] -> [S]."""
        return self.sum(torch.where(self.position() == self.spread(self.length()) - 1, x, 0))

    def spread(self, v: Tensor) -> Tensor:
        """Copy the value of each segment to its tokens: [S] -> [T]; 0 outside the mask."""
        return v.new_zeros(self.tokens).index_copy(0, self.place, v[self.index])
