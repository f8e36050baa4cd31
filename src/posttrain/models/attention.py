"""Attention over sequences of flat tokens, end to end, and over a cache of slots.

Every module of a language model except attention treats its tokens one by one, so the model runs on flat tokens `[1,
N]` without padding. A `Layout` decides which token attends to which. It reaches the attention layers as a keyword of
the model's forward pass, through the attention interface of `transformers`.

Legend: N flat tokens, H query heads, G key-value heads, D head width, S slots, C positions that a block looks at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from posttrain.errors import ModelError
from posttrain.models.cache import Cache
from posttrain.models.kernels import decode_step
from posttrain.models.kernels.block_attention import causal, visible
from posttrain.models.kernels.padded_blocks import Blocks, flat_index, gather, group_similar, take
from posttrain.models.kernels.row_attention import RowAttention

NAME = "posttrain"  # the attention implementation under which `attention` is registered


class Layout(Protocol):
    """Which sequences the flat tokens form, and how they attend to each other."""

    positions: Tensor  # [N] position of each token within its own sequence

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        """query [N, H, D], key and value [N, G, D] -> [N, H, D]. With a window of w a token sees the last w tokens."""
        ...


def register() -> None:
    """Register `attention` with transformers. Without a mask function of the same name it builds no masks."""
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
    """The attention function that transformers calls in each layer: query [1, H, N, D] -> [1, N, H, D]. No dropout."""
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
    """Rows end to end, each with causal attention over itself."""

    def __init__(self, lengths: Sequence[int], device: torch.device | str = "cpu") -> None:
        sizes = torch.tensor([n for n in lengths if n], dtype=torch.long)
        starts, self._device = sizes.cumsum(0) - sizes, device
        self.positions = (torch.arange(int(sizes.sum())) - starts.repeat_interleave(sizes)).to(device)
        self.rows = torch.stack([starts, torch.zeros_like(starts), starts, sizes], 1)
        self.kernel = RowAttention(self.rows)

    @cached_property
    def _padded(self) -> tuple[Tensor, list[tuple[int, int]], Tensor]:
        """Rows of similar length as padded blocks, for the kernels of torch: index, shapes, inverse index."""
        starts, sizes = self.rows[:, 2], self.rows[:, 3]
        blocks = Blocks(starts, sizes, group_similar(sizes.tolist()))
        return flat_index(blocks.grids).to(self._device), blocks.shapes, blocks.inverse.to(self._device)

    def attend(
        self,
        layer: int,  # noqa: ARG002
        query: Tensor,
        key: Tensor,
        value: Tensor,
        scaling: float,
        window: int | None,
    ) -> Tensor:
        if self.kernel.supports(query, key, value):
            return self.kernel.attend(query, key, value, scaling, window)
        index, shapes, inverse = self._padded
        outputs = [query.new_empty(0, query.shape[1], value.shape[-1])]
        for q, k, v in zip(*(gather(x, index, shapes) for x in (query, key, value)), strict=True):
            outputs.append(causal(q, k, v, scaling, window).transpose(1, 2).flatten(0, 1))
        return take(torch.cat(outputs), inverse)


class Repeated:
    """The same sequences several times, once for each member of an ensemble."""

    def __init__(self, layout: Layout, times: int) -> None:
        self.positions = layout.positions.repeat(times)
        self._layout, self._times = layout, times

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        parts = zip(*(x.chunk(self._times) for x in (query, key, value)), strict=True)
        return torch.cat([self._layout.attend(layer, q, k, v, scaling, window) for q, k, v in parts])


class Prefill(Packed):
    """Packed rows whose keys and values also go to the cache: those of row r to every slot in `slots[r]`."""

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
        self._token = torch.cat(token).to(device)
        self._cache = cache
        self._index = cache.index(torch.cat(slot).to(device), self.positions[self._token])

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        self._cache.write(layer, self._index, take(key, self._token), take(value, self._token))
        return super().attend(layer, query, key, value, scaling, window)


class Decode:
    """One new token in each of the first N slots of the cache.

    Neighbouring slots form a block, which attends to its first C positions only. `blocks` gives the number of slots and
    C of each; positions [N] are below C. Keys and values go to `slots` [N], the first N except for padding.
    """

    def __init__(self, positions: Tensor, slots: Tensor, blocks: Sequence[tuple[int, int]], cache: Cache) -> None:
        self.positions = positions
        self._cache = cache
        self._index = cache.index(slots, positions)
        self._blocks: list[tuple[slice, int]] = []
        for count, width in blocks:
            start = self._blocks[-1][0].stop if self._blocks else 0
            self._blocks.append((slice(start, start + count), width))
        self._unseen: dict[int | None, list[Tensor]] = {}

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        # Batched products, since fused CPU kernels are eight times slower for a single query per sequence.
        self._cache.write(layer, self._index, key, value)
        if self._cache.compiled(layer):
            return self._cache.attend(layer, query, self.positions, scaling, window)
        grouped = query.reshape(len(query), key.shape[1], -1, query.shape[2]) * scaling
        wide = torch.promote_types(query.dtype, torch.float32)
        outputs = []
        for (rows, width), unseen in zip(self._blocks, self._masks(window), strict=True):
            keys, values = zip(*self._cache.pages(layer, rows, width), strict=True)
            scores = torch.cat([grouped[rows] @ k for k in keys], -1).to(wide)
            weights = scores.masked_fill_(unseen, -torch.inf).softmax(-1).to(value.dtype)
            parts = weights.split(self._cache.page, -1)  # type: ignore[no-untyped-call]
            outputs.append(_sum([w @ v for w, v in zip(parts, values, strict=True)]))
        return torch.cat(outputs).flatten(1, 2)

    def run_layer(
        self, layer: int, get_weights: Callable[[], decode_step.Layer | None], x: Tensor, angles: Sequence[Tensor]
    ) -> Tensor | None:
        """A layer of Llama or a similar model in one call, x [N, D] -> [N, D]; None where it is not compiled."""
        if torch.is_grad_enabled() or not (decode_step.has_layer(x) and self._cache.compiled(layer)):
            return None
        weights = get_weights()  # only where they are needed: the look-up takes as long as several operators
        if weights is None or not decode_step.supports_layer(x, weights, angles):
            return None
        return self._cache.run_layer(layer, weights, x, self.positions, self._index, angles)

    def _masks(self, window: int | None) -> list[Tensor]:
        """For each block, the positions that its queries must not see: [S, 1, 1, C]."""
        if window not in self._unseen:
            self._unseen[window] = [self._mask(rows, width, window) for rows, width in self._blocks]
        return self._unseen[window]

    def _mask(self, rows: slice, width: int, window: int | None) -> Tensor:
        column = torch.arange(width, device=self.positions.device)
        return ~visible(column, self.positions[rows, None, None, None], window)


def _sum(parts: list[Tensor]) -> Tensor:
    """The sum of tensors of one shape and dtype, rounded once."""
    if len(parts) == 1:
        return parts[0]
    return torch.stack(parts).sum(0, dtype=torch.promote_types(parts[0].dtype, torch.float32)).to(parts[0].dtype)
