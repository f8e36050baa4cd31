"""Attention over sequences that lie end to end, and over a cache of slots.

Every module of a language model except attention treats its tokens one by one, so the model runs on flat tokens
`[1, N]` without padding. Which token may look at which is the business of a `Layout`; it travels to the attention
layers as a keyword of the model's forward pass, through the attention interface of `transformers`.

Legend: N flat tokens, H query heads, G key-value heads, D head width, S slots, C capacity of a slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posttrain.errors import ModelError

NAME = "posttrain"  # the attention implementation under which `attention` is registered
SIMILAR = 0.75  # rows share a padded block if the shortest is at least this part of the longest


class Layout(Protocol):
    """How flat tokens belong together."""

    positions: Tensor  # [N] place of each token within its own sequence

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        """query [N, H, D], key and value [N, G, D] -> [N, H, D]. A window of w shows the last w tokens."""
        ...


def register() -> None:
    """Make `attention` known to transformers. Without a mask function of the same name it builds no masks."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attention)


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,  # noqa: ARG001
    *,
    layout: Layout | None = None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """What transformers calls in each attention layer: query [1, H, N, D] -> [1, N, H, D]. It applies no dropout."""
    if layout is None:
        raise ModelError(f"{type(module).__name__} does not pass the layout on to attention: model not supported")
    for name in ("softcap", "s_aux", "position_bias"):
        if others.get(name) is not None:
            raise ModelError(f"{type(module).__name__} needs attention with {name!r}: model not supported")
    query, key, value = (x[0].transpose(0, 1) for x in (query, key, value))
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    layer = int(module.layer_idx)  # type: ignore[arg-type]
    return layout.attend(layer, query, key, value, scaling, sliding_window)[None], None


class Packed:
    """Whole rows end to end, each with causal attention over itself.

    Rows of similar length are gathered into padded blocks inside attention only. Padding repeats the last token of
    its row: it comes after all real tokens, so causal attention never sees it.
    """

    def __init__(self, lengths: Sequence[int], device: torch.device | str = "cpu") -> None:
        self._blocks: list[tuple[int, int]] = []  # (rows, width)
        sizes = torch.tensor(lengths, dtype=torch.long)
        starts = sizes.cumsum(0) - sizes
        places, back, offset = [], torch.empty(int(sizes.sum()), dtype=torch.long), 0
        for rows in _similar(lengths):
            width = lengths[rows[0]]
            column, last = torch.arange(width), sizes[rows, None] - 1
            grid = starts[rows, None] + torch.minimum(column, last)
            real = column <= last
            back[grid[real]] = offset + real.flatten().nonzero()[:, 0]
            places.append(grid.flatten())
            self._blocks.append((len(rows), width))
            offset += grid.numel()
        self.positions = (torch.arange(len(back)) - starts.repeat_interleave(sizes)).to(device)
        self._places = torch.cat([back.new_empty(0), *places]).to(device)
        self._back = back.to(device)

    def attend(
        self,
        layer: int,  # noqa: ARG002
        query: Tensor,
        key: Tensor,
        value: Tensor,
        scaling: float,
        window: int | None,
    ) -> Tensor:
        grids = [x.index_select(0, self._places) for x in (query, key, value)]
        outputs, start = [query.new_empty(0, query.shape[1], value.shape[-1])], 0
        for rows, width in self._blocks:
            end = start + rows * width
            q, k, v = (x[start:end].view(rows, width, *x.shape[1:]).transpose(1, 2) for x in grids)
            outputs.append(_causal(q, k, v, scaling, window).transpose(1, 2).flatten(0, 1))
            start = end
        return torch.cat(outputs).index_select(0, self._back)


class Cache:
    """Keys and values of running sequences, one slot each, for all layers. It grows when a layer first writes to it
    and when `reserve` asks for longer slots. Keys are kept transposed, which halves the time of the product."""

    def __init__(self, slots: int, capacity: int) -> None:
        self.slots, self.capacity = slots, capacity
        self._keys: dict[int, Tensor] = {}  # layer -> [S, G, D, C]
        self._values: dict[int, Tensor] = {}  # layer -> [S, G, C, D]

    def layer(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keys [S, G, D, C] and values [S, G, C, D] of one layer, shaped after key and value [N, G, D]."""
        if layer not in self._keys:
            # Zeros, because attention gives unwritten places the weight 0 and 0 times garbage may be NaN.
            self._keys[layer] = key.new_zeros(self.slots, *key.shape[1:], self.capacity)
            self._values[layer] = value.new_zeros(self.slots, value.shape[1], self.capacity, value.shape[2])
        return self._keys[layer], self._values[layer]

    def reserve(self, capacity: int) -> None:
        """Room for sequences of `capacity` tokens."""
        more = capacity - self.capacity
        if more > 0:
            self._keys = {i: F.pad(x, (0, more)) for i, x in self._keys.items()}
            self._values = {i: F.pad(x, (0, 0, 0, more)) for i, x in self._values.items()}
            self.capacity = capacity

    def move(self, source: int, target: int) -> None:
        """Overwrite one slot with another."""
        for x in (*self._keys.values(), *self._values.values()):
            x[target] = x[source]


class Prefill(Packed):
    """Packed rows whose keys and values also go to the cache: row r to every slot in `slots[r]`."""

    def __init__(
        self, lengths: Sequence[int], slots: Sequence[Sequence[int]], cache: Cache, device: torch.device | str = "cpu"
    ) -> None:
        super().__init__(lengths, device)
        token, slot = [], []
        start = 0
        for length, targets in zip(lengths, slots, strict=True):
            for target in targets:
                token.append(torch.arange(start, start + length))
                slot.append(torch.full((length,), target))
            start += length
        self._token, self._slot = torch.cat(token).to(device), torch.cat(slot).to(device)
        self._place = self.positions[self._token]
        self._cache = cache

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        keys, values = self._cache.layer(layer, key, value)
        keys[self._slot, :, :, self._place] = key[self._token]
        values[self._slot, :, self._place] = value[self._token]
        return super().attend(layer, query, key, value, scaling, window)


class Decode:
    """One new token in each of the first N slots of the cache."""

    def __init__(self, positions: Sequence[int], cache: Cache, device: torch.device | str = "cpu") -> None:
        self.positions = torch.tensor(positions, device=device)
        self._slots = torch.arange(len(positions), device=device)
        self._column = torch.arange(max(positions) + 1, device=device)
        self._cache = cache
        self._unseen: dict[int | None, Tensor] = {None: self._column > self.positions[:, None, None, None]}

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        # A batched product: the fused kernels of the CPU are eight times slower for a single query per sequence.
        keys, values = self._cache.layer(layer, key, value)
        keys[self._slots, :, :, self.positions] = key
        values[self._slots, :, self.positions] = value
        count, width = len(self._slots), len(self._column)
        grouped = query.reshape(count, key.shape[1], -1, query.shape[2]) * scaling
        scores = grouped @ keys[:count, :, :, :width]
        weights = scores.to(torch.promote_types(scores.dtype, torch.float32))
        weights = weights.masked_fill_(self._mask(window), -torch.inf).softmax(-1)
        return torch.matmul(weights.to(value.dtype), values[:count, :, :width]).flatten(1, 2)

    def _mask(self, window: int | None) -> Tensor:
        """What a slot's query may not see: [N, 1, 1, C]."""
        if window not in self._unseen:
            far = self._column <= self.positions[:, None, None, None] - (window or 0)
            self._unseen[window] = self._unseen[None] | far
        return self._unseen[window]


def _similar(lengths: Sequence[int]) -> list[list[int]]:
    """Numbers of the rows that hold tokens, longest first, cut where a row is much shorter than the block's first."""
    blocks: list[list[int]] = []
    for row in sorted((r for r, n in enumerate(lengths) if n), key=lambda r: -lengths[r]):
        if not blocks or lengths[row] < SIMILAR * lengths[blocks[-1][0]]:
            blocks.append([])
        blocks[-1].append(row)
    return blocks


def _causal(query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None) -> Tensor:
    """[B, H, L, D] x [B, G, L, D] -> [B, H, L, D]."""
    width, band = query.shape[2], None
    if window is not None and window < width:
        band = torch.ones(width, width, dtype=torch.bool, device=query.device).tril().triu(1 - window)
    return F.scaled_dot_product_attention(
        query, key, value, band, is_causal=band is None, scale=scaling, enable_gqa=query.shape[1] != key.shape[1]
    )
