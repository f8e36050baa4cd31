"""A layout that keeps what one layer attends with, so that its attention can be looked at.

Legend: N tokens that the trunk reads, T tokens of all rows, H query heads, G key-value heads, D head width.
"""

from __future__ import annotations

import torch
from torch import Tensor

from posttrain.core.rows import Rows
from posttrain.models.attention import Layout


class Watched:
    """Attends as another layout does. Queries and keys of the watched layer stay, without a gradient."""

    def __init__(self, layout: Layout, layer: int) -> None:
        self.positions = layout.positions
        self._layout, self._layer = layout, layer
        self._kept: tuple[Tensor, Tensor, float, int | None] | None = None

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        if layer == self._layer:
            self._kept = query.detach(), key.detach(), scaling, window
        return self._layout.attend(layer, query, key, value, scaling, window)

    def from_last(self, rows: Rows, index: Tensor) -> Tensor:
        """Attention from the last token of each row to each of its tokens, averaged over heads: [T], in float32.

        `index` [T]: which of the tokens that the trunk read each token of the rows is.
        """
        assert self._kept is not None
        query, key, scaling, window = self._kept
        ends = rows.sizes.cumsum(0) - 1
        asked = query[index[ends]].float()[rows.index]  # [T, H, D]
        keys = key[index].float().repeat_interleave(query.shape[1] // key.shape[1], dim=1)
        scores = (asked * keys).sum(-1) * scaling  # [T, H]
        if window is not None:
            place = torch.arange(len(index), device=index.device)
            scores = scores.masked_fill((ends[rows.index] - place >= window)[:, None], -torch.inf)
        return _softmax(scores, rows).mean(1)


def _softmax(scores: Tensor, rows: Rows) -> Tensor:
    """Softmax over the tokens of each row: [T, H] -> [T, H]."""
    owner = rows.index[:, None].expand_as(scores)
    largest = scores.new_full((rows.count, scores.shape[1]), -torch.inf).scatter_reduce(0, owner, scores, "amax")
    weights = (scores - largest[rows.index]).exp()
    return weights / torch.zeros_like(largest).scatter_add(0, owner, weights)[rows.index]
