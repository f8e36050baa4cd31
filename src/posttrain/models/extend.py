"""Prefill of sequences whose first tokens are in the cache already.

Legend: N new tokens, B rows of a block, L new tokens of its longest row, K positions of the cache up to the last of
them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from posttrain.models.cache import Cache
from posttrain.models.kernels.block_attention import masked, visible
from posttrain.models.kernels.padded_blocks import Blocks, flat_index, gather, group_similar, take


class Extend:
    """New tokens end to end. Row r continues the first `cached[r]` tokens of slot `slots[r]`.

    Their keys and values are written to the cache. Each token sees all earlier ones of its slot.
    """

    def __init__(
        self,
        cached: Sequence[int],
        lengths: Sequence[int],
        slots: Sequence[int],
        cache: Cache,
        device: torch.device | str = "cpu",
    ) -> None:
        sizes = torch.tensor(lengths, dtype=torch.long)
        before = torch.tensor(cached, dtype=torch.long)
        slot = torch.tensor(slots, dtype=torch.long)
        starts = sizes.cumsum(0) - sizes
        members = group_similar(cached, lengths)
        blocks = Blocks(starts, sizes, members)
        position = torch.arange(len(blocks.inverse)) + (before - starts).repeat_interleave(sizes)
        self.positions = position.to(device)
        self._gather = flat_index(blocks.grids).to(device)
        self._inverse = blocks.inverse.to(device)
        self._shapes = blocks.shapes
        self._slots = [slot[rows].to(device) for rows in members]
        self._query_positions = [position[grid].to(device) for grid in blocks.grids]  # [B, L] within the slot
        self._widths = [int(position[grid].max()) + 1 for grid in blocks.grids]
        self._cache = cache
        self._index = cache.index(slot.repeat_interleave(sizes).to(device), self.positions)

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        self._cache.write(layer, self._index, key, value)
        queries = gather(query, self._gather, self._shapes)
        outputs = []
        for q, slots, position, width in zip(queries, self._slots, self._query_positions, self._widths, strict=True):
            seen = visible(torch.arange(width, device=q.device), position[:, None, :, None], window)
            k, v = self._cache.read(layer, slots, width)
            outputs.append(masked(q, k, v, scaling, seen).transpose(1, 2).flatten(0, 1))
        return take(torch.cat(outputs), self._inverse)
