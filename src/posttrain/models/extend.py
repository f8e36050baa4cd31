"""Reading on: sequences whose first tokens are in the cache already.

Legend: N new tokens, B rows of a block, L new tokens of its longest row, K places of the cache up to the last of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from posttrain.models.attention import Cache
from posttrain.models.kernels.block_attention import masked, within
from posttrain.models.kernels.padded_blocks import Blocks, flat, gather, similar, take


class Extend:
    """New tokens end to end; row r goes on after the first `known[r]` tokens of the slot `slots[r]`.

    They go to the cache; each sees what stands before it in its slot.
    """

    def __init__(
        self,
        known: Sequence[int],
        lengths: Sequence[int],
        slots: Sequence[int],
        cache: Cache,
        device: torch.device | str = "cpu",
    ) -> None:
        sizes, before, slot = (torch.tensor(x, dtype=torch.long) for x in (lengths, known, slots))
        starts = sizes.cumsum(0) - sizes
        members = similar(known, lengths)
        blocks = Blocks(starts, sizes, members)
        place = torch.arange(len(blocks.back)) + (before - starts).repeat_interleave(sizes)
        self.positions = place.to(device)
        self._places, self._back = flat(blocks.grids).to(device), blocks.back.to(device)
        self._shapes = blocks.shapes
        self._slots = [slot[rows].to(device) for rows in members]
        self._queries = [place[grid].to(device) for grid in blocks.grids]  # [B, L] places within the slot
        self._widths = [int(place[grid].max()) + 1 for grid in blocks.grids]
        self._cache, self._where = cache, cache.where(slot.repeat_interleave(sizes).to(device), self.positions)

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        self._cache.write(layer, self._where, key, value)
        outputs = []
        for q, slots, place, width in zip(
            gather(query, self._places, self._shapes), self._slots, self._queries, self._widths, strict=True
        ):
            seen = within(torch.arange(width, device=q.device), place[:, None, :, None], window)
            k, v = self._cache.read(layer, slots, width)
            outputs.append(masked(q, k, v, scaling, seen).transpose(1, 2).flatten(0, 1))
        return take(torch.cat(outputs), self._back)
