"""Keys and values of running sequences, in slots and pages.

Legend: N tokens, H query heads, G key-value heads, D head width, S slots, P positions of a page.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from posttrain.models.kernels import decode_step
from posttrain.models.kernels.decode_step import Index


class Cache:
    """Keys and values of running sequences, one slot each, for all layers. Position p of a slot is in page p // P.

    It grows when a layer first writes to it and when `reserve` asks for longer slots. The slots of a page lie together,
    so that products read them in place. Keys are stored transposed, which halves the time of the product.
    """

    def __init__(self, slots: int, capacity: int, page: int = decode_step.PAGE) -> None:
        self.slots = slots
        self.page = page
        self._num_pages = self._pages_for(capacity)
        self._keys: dict[int, Tensor] = {}  # layer -> [pages, S, G, D, P]
        self._values: dict[int, Tensor] = {}  # layer -> [pages, S, G, P, D]
        self._compiled: dict[int, bool] = {}

    @property
    def capacity(self) -> int:
        """Tokens of a slot."""
        return self._num_pages * self.page

    def _pages_for(self, tokens: int) -> int:
        """The number of pages that hold this number of tokens of a slot."""
        return -(-tokens // self.page)

    def index(self, slots: Tensor, positions: Tensor) -> Index:
        """Where positions [N] of slots [N] lie, for `write`: the same in every layer."""
        return slots, positions // self.page, positions % self.page

    def write(self, layer: int, index: Index, key: Tensor, value: Tensor) -> None:
        """Write key and value [N, G, D] of tokens."""
        if layer not in self._keys:
            # Zeros, because attention gives unwritten positions the weight 0, and 0 times garbage may be NaN.
            shape = self._num_pages, self.slots, key.shape[1]
            self._keys[layer] = key.new_zeros(*shape, key.shape[2], self.page)
            self._values[layer] = value.new_zeros(*shape, self.page, value.shape[2])
            same = key.shape == value.shape and self.page == decode_step.PAGE
            known = same and key.shape[2] in decode_step.HEAD_WIDTHS
            self._compiled[layer] = known and decode_step.supports(self._keys[layer], self._values[layer])
        if self.compiled(layer):
            decode_step.write(key, value, index, self._keys[layer], self._values[layer])
            return
        slots, pages, offsets = index
        self._keys[layer][pages, slots, :, :, offsets] = key
        self._values[layer][pages, slots, :, offsets] = value

    def compiled(self, *layers: int) -> bool:
        """Whether `attend` supports these layers, or all layers that exist. It reads only what each sequence holds."""
        return bool(self._compiled) and all(self._compiled.get(layer) for layer in layers or self._compiled)

    def attend(self, layer: int, query: Tensor, positions: Tensor, scaling: float, window: int | None) -> Tensor:
        """Attention of the newest tokens of the first N slots, query [N, H, D] at positions [N]: [N, H, D]."""
        return decode_step.attend(query, self._keys[layer], self._values[layer], positions, scaling, window)

    def run_layer(
        self,
        layer: int,
        weights: decode_step.Layer,
        x: Tensor,
        positions: Tensor,
        index: Index,
        angles: Sequence[Tensor],
    ) -> Tensor:
        """Run a whole layer for the newest tokens x [N, D] of the first N slots: `write`, `attend` and the rest."""
        return decode_step.run_layer(x, weights, self._keys[layer], self._values[layer], positions, index, angles)

    def pages(self, layer: int, slots: slice, width: int) -> list[tuple[Tensor, Tensor]]:
        """Views of keys [S, G, D, P] and values [S, G, P, D] of neighbouring slots, one for each page up to a width."""
        keys, values, pages = self._keys[layer], self._values[layer], []
        for page, start in enumerate(range(0, width, self.page)):
            size = min(self.page, width - start)
            pages.append((keys[page, slots, :, :, :size], values[page, slots, :, :size]))
        return pages

    def read(self, layer: int, slots: Tensor, width: int) -> tuple[Tensor, Tensor]:
        """A copy of keys and values [S, G, width, D] of slots [S]."""
        pages = self._pages_for(width)
        key, value = self._keys[layer][:pages, slots].transpose(-1, -2), self._values[layer][:pages, slots]
        key, value = (x.permute(1, 2, 0, 3, 4).flatten(2, 3)[:, :, :width] for x in (key, value))
        return key, value

    def reserve(self, capacity: int) -> None:
        """Grow every slot to hold at least `capacity` tokens."""
        more = self._pages_for(capacity) - self._num_pages
        if more > 0:
            self._keys = {i: F.pad(x, (0, 0) * 4 + (0, more)) for i, x in self._keys.items()}
            self._values = {i: F.pad(x, (0, 0) * 4 + (0, more)) for i, x in self._values.items()}
            self._num_pages += more

    def widen(self, more: int) -> None:
        """Add slots behind the present ones."""
        self._keys = {i: F.pad(x, (0, 0) * 3 + (0, more)) for i, x in self._keys.items()}
        self._values = {i: F.pad(x, (0, 0) * 3 + (0, more)) for i, x in self._values.items()}
        self.slots += more

    def copy(self, source: int, targets: list[int], length: int) -> None:
        """Copy the first tokens of a slot to other slots, in whole pages."""
        pages = self._pages_for(length)
        for x in self.state():
            x[:pages, targets] = x[:pages, source, None].clone()  # without the clone, torch sees an overlap

    def swap(self, one: int, other: int) -> None:
        """Exchange the contents of two slots."""
        for x in self.state():
            x[:, [one, other]] = x[:, [other, one]]

    def state(self) -> list[Tensor]:
        """Keys, then values of every layer; the second dimension is the slot. Not copied."""
        return [*self._keys.values(), *self._values.values()]
