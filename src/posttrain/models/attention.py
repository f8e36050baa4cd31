"""Attention over sequences that lie end to end, and over a cache of slots.

Every module of a language model except attention treats its tokens one by one, so the model runs on flat tokens
`[1, N]` without padding. Which token may look at which is the business of a `Layout`; it travels to the attention
layers as a keyword of the model's forward pass, through the attention interface of `transformers`.

Legend: N flat tokens, H query heads, G key-value heads, D head width, S slots, P places of a page
of the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posttrain.errors import ModelError
from posttrain.models.kernels import decode_step as step
from posttrain.models.kernels.block_attention import causal, within
from posttrain.models.kernels.padded_blocks import Blocks, flat, gather, similar, take
from posttrain.models.kernels.row_attention import Spans

NAME = "posttrain"  # the attention implementation under which `attention` is registered


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
    """Whole rows end to end, each with causal attention over itself."""

    def __init__(self, lengths: Sequence[int], device: torch.device | str = "cpu") -> None:
        sizes = torch.tensor([n for n in lengths if n], dtype=torch.long)
        starts, self._device = sizes.cumsum(0) - sizes, device
        self.positions = (torch.arange(int(sizes.sum())) - starts.repeat_interleave(sizes)).to(device)
        self.rows = torch.stack([starts, torch.zeros_like(starts), starts, sizes], 1)
        self._spans = Spans(self.rows)

    @cached_property
    def _padded(self) -> tuple[Tensor, list[tuple[int, int]], Tensor]:
        """Rows of similar length as padded blocks, inside attention only: places, shapes, the way back."""
        starts, sizes = self.rows[:, 2], self.rows[:, 3]
        blocks = Blocks(starts, sizes, similar(sizes.tolist()))
        return flat(blocks.grids).to(self._device), blocks.shapes, blocks.back.to(self._device)

    def attend(
        self,
        layer: int,  # noqa: ARG002
        query: Tensor,
        key: Tensor,
        value: Tensor,
        scaling: float,
        window: int | None,
    ) -> Tensor:
        if self._spans.runs(query, key, value):
            return self._spans.attend(query, key, value, scaling, window)
        places, shapes, back = self._padded
        outputs = [query.new_empty(0, query.shape[1], value.shape[-1])]
        for q, k, v in zip(*(gather(x, places, shapes) for x in (query, key, value)), strict=True):
            outputs.append(causal(q, k, v, scaling, window).transpose(1, 2).flatten(0, 1))
        return take(torch.cat(outputs), back)


Where = tuple[Tensor, Tensor, Tensor]  # of each token: slot, page, place within the page


class Cache:
    """Keys and values of running sequences, one slot each, for all layers; place p of a slot is in page p // P.

    It grows when a layer first writes to it and when `reserve` asks for longer slots. The slots of one page lie
    together, so that products read them where they are; keys are kept transposed, which halves the time of the product.
    """

    def __init__(self, slots: int, capacity: int, page: int = step.PAGE) -> None:
        self.slots, self.page = slots, page
        self._pages = self._covering(capacity)
        self._keys: dict[int, Tensor] = {}  # layer -> [pages, S, G, D, P]
        self._values: dict[int, Tensor] = {}  # layer -> [pages, S, G, P, D]
        self._compiled: dict[int, bool] = {}

    @property
    def capacity(self) -> int:
        """Tokens of a slot."""
        return self._pages * self.page

    def _covering(self, tokens: int) -> int:
        """How many pages hold so many tokens of a slot."""
        return -(-tokens // self.page)

    def where(self, slots: Tensor, places: Tensor) -> Where:
        """Places [N] of slots [N], for `write`: the same in every layer."""
        return slots, places // self.page, places % self.page

    def write(self, layer: int, where: Where, key: Tensor, value: Tensor) -> None:
        """Key and value [N, G, D] of tokens."""
        if layer not in self._keys:
            # Zeros, because attention gives unwritten places the weight 0 and 0 times garbage may be NaN.
            shape = self._pages, self.slots, key.shape[1]
            self._keys[layer] = key.new_zeros(*shape, key.shape[2], self.page)
            self._values[layer] = value.new_zeros(*shape, self.page, value.shape[2])
            ours = key.shape == value.shape and key.shape[2] in step.WIDTHS and self.page == step.PAGE
            self._compiled[layer] = ours and step.runs(self._keys[layer], self._values[layer])
        if self.compiled(layer):
            step.write(key, value, where, self._keys[layer], self._values[layer])
            return
        slots, pages, places = where
        self._keys[layer][pages, slots, :, :, places] = key
        self._values[layer][pages, slots, :, places] = value

    def compiled(self, *layers: int) -> bool:
        """Whether `attended` reads these layers, or all that there are: of each slot only what its sequence needs."""
        return bool(self._compiled) and all(self._compiled.get(layer) for layer in layers or self._compiled)

    def attended(self, layer: int, query: Tensor, positions: Tensor, scaling: float, window: int | None) -> Tensor:
        """What the newest tokens of the first N slots, query [N, H, D] at positions [N], see: [N, H, D]."""
        return step.attend(query, self._keys[layer], self._values[layer], positions, scaling, window)

    def through(
        self, layer: int, matrices: step.Layer, x: Tensor, positions: Tensor, where: Where, angles: Sequence[Tensor]
    ) -> Tensor:
        """A whole layer for the newest tokens x [N, D] of the first N slots: `write`, `attended`, and the rest."""
        return step.run_layer(x, matrices, self._keys[layer], self._values[layer], positions, where, angles)

    def pages(self, layer: int, slots: slice, width: int) -> list[tuple[Tensor, Tensor]]:
        """Keys [S, G, D, P] and values [S, G, P, D] of neighbouring slots up to a width, page by page, not copied."""
        keys, values, found = self._keys[layer], self._values[layer], []
        for page, start in enumerate(range(0, width, self.page)):
            size = min(self.page, width - start)
            found.append((keys[page, slots, :, :, :size], values[page, slots, :, :size]))
        return found

    def read(self, layer: int, slots: Tensor, width: int) -> tuple[Tensor, Tensor]:
        """A copy of keys and values [S, G, width, D] of slots [S]."""
        pages = self._covering(width)
        key, value = self._keys[layer][:pages, slots].transpose(-1, -2), self._values[layer][:pages, slots]
        key, value = (x.permute(1, 2, 0, 3, 4).flatten(2, 3)[:, :, :width] for x in (key, value))
        return key, value

    def reserve(self, capacity: int) -> None:
        """Room for sequences of `capacity` tokens."""
        more = self._covering(capacity) - self._pages
        if more > 0:
            self._keys = {i: F.pad(x, (0, 0) * 4 + (0, more)) for i, x in self._keys.items()}
            self._values = {i: F.pad(x, (0, 0) * 4 + (0, more)) for i, x in self._values.items()}
            self._pages += more

    def copy(self, source: int, targets: list[int], length: int) -> None:
        """Write the first tokens of one slot to others, page by page; a clone, or torch sees an overlap."""
        pages = self._covering(length)
        for x in (*self._keys.values(), *self._values.values()):
            x[:pages, targets] = x[:pages, source, None].clone()

    def swap(self, one: int, other: int) -> None:
        """Exchange what two slots hold."""
        for x in (*self._keys.values(), *self._values.values()):
            x[:, [one, other]] = x[:, [other, one]]


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
        self._token = torch.cat(token).to(device)
        self._cache, self._where = cache, cache.where(torch.cat(slot).to(device), self.positions[self._token])

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        self._cache.write(layer, self._where, take(key, self._token), take(value, self._token))
        return super().attend(layer, query, key, value, scaling, window)


class Decode:
    """One new token in each of the first N slots of the cache.

    Neighbours make a block, which looks at the first places of its slots only: `blocks` has the number of slots and the
    width of each, and positions [N] are below it. Keys and values go to `slots` [N], the first N but for padding.
    """

    def __init__(self, positions: Tensor, slots: Tensor, blocks: Sequence[tuple[int, int]], cache: Cache) -> None:
        self.positions, self._cache, self._where = positions, cache, cache.where(slots, positions)
        self._blocks: list[tuple[slice, int]] = []
        for count, width in blocks:
            start = self._blocks[-1][0].stop if self._blocks else 0
            self._blocks.append((slice(start, start + count), width))
        self._unseen: dict[int | None, list[Tensor]] = {}

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        # Batched products: the fused kernels of the CPU are eight times slower for a single query per sequence.
        self._cache.write(layer, self._where, key, value)
        if self._cache.compiled(layer):
            return self._cache.attended(layer, query, self.positions, scaling, window)
        grouped = query.reshape(len(query), key.shape[1], -1, query.shape[2]) * scaling
        wide = torch.promote_types(query.dtype, torch.float32)
        outputs = []
        for (rows, width), unseen in zip(self._blocks, self._masks(window), strict=True):
            keys, values = zip(*self._cache.pages(layer, rows, width), strict=True)
            scores = torch.cat([grouped[rows] @ k for k in keys], -1).to(wide)
            weights = scores.masked_fill_(unseen, -torch.inf).softmax(-1).to(value.dtype)
            parts = weights.split(self._cache.page, -1)  # type: ignore[no-untyped-call]
            outputs.append(_added([w @ v for w, v in zip(parts, values, strict=True)]))
        return torch.cat(outputs).flatten(1, 2)

    def through(
        self, layer: int, matrices: Callable[[], step.Layer | None], x: Tensor, angles: Sequence[Tensor]
    ) -> Tensor | None:
        """A layer of Llama or its relatives in one call, x [N, D] -> [N, D]; None where there is no code for it."""
        if torch.is_grad_enabled() or not (step.has_layer(x) and self._cache.compiled(layer)):
            return None
        found = matrices()  # looked up only where they are wanted: that takes as long as several operators
        if found is None or not step.takes_layer(x, found, angles):
            return None
        return self._cache.through(layer, found, x, self.positions, self._where, angles)

    def _masks(self, window: int | None) -> list[Tensor]:
        """What the queries of each block may not see: [S, 1, 1, C]."""
        if window not in self._unseen:
            self._unseen[window] = [self._mask(rows, width, window) for rows, width in self._blocks]
        return self._unseen[window]

    def _mask(self, rows: slice, width: int, window: int | None) -> Tensor:
        column = torch.arange(width, device=self.positions.device)
        return ~within(column, self.positions[rows, None, None, None], window)


def _added(parts: list[Tensor]) -> Tensor:
    """Their sum, rounded once."""
    if len(parts) == 1:
        return parts[0]
    return torch.stack(parts).sum(0, dtype=torch.promote_types(parts[0].dtype, torch.float32)).to(parts[0].dtype)
