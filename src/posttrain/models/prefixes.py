"""Rows with a common prefix: the trunk reads the prefix once, forward and backward.

The answers of a group follow one prompt, the two answers of a pair another. The trunk gets each such prefix once, and
the rest of every row. The keys and values of a prefix serve all its rows, so its gradient comes from all of them.

Legend: T tokens of all rows, N tokens that the trunk reads, R continuations, B rows of a block, L queries of a row, K
keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from posttrain.core.rows import Rows
from posttrain.models.attention import Layout, Packed
from posttrain.models.kernels.block_attention import masked, visible
from posttrain.models.kernels.padded_blocks import Blocks, flat_index, gather, group_similar, take
from posttrain.models.kernels.row_attention import RowAttention

WORTH = 1 / 16  # a prefix is shared if that saves at least this fraction of the tokens of its rows


@dataclass(frozen=True, eq=False)
class PackedRows:
    """The tokens that the trunk reads for some rows."""

    tokens: Tensor | slice  # [N] indices into the tokens of all rows
    state: Tensor  # [T] index of the hidden state after each token of the rows
    layout: Layout


@dataclass(frozen=True)
class _Span:
    """Consecutive tokens that are read together. A shared prefix occurs in several rows."""

    length: int
    starts: list[int]  # where it occurs among the tokens of all rows


def pack(tokens: Tensor, written: Rows) -> PackedRows:
    """Pack rows end to end, shared prefixes once where that is worth it. Outputs and gradients are the same.

    The prefix of a row is everything before its first token in the mask, at most all but its last token.
    """
    sizes, device = written.sizes.tolist(), tokens.device
    by_prefix: dict[bytes, list[int]] = {}
    for row, prefix_bytes in enumerate(written.prefixes(tokens)):
        by_prefix.setdefault(prefix_bytes, []).append(row)
    lengths = written.prefix_length().tolist()
    groups = [rows for rows in by_prefix.values() if _worth_sharing(lengths[rows[0]], [sizes[r] for r in rows])]
    if not groups:
        return unshared(written)

    starts = (written.sizes.cumsum(0) - written.sizes).tolist()
    sharing = {row for rows in groups for row in rows}
    whole = [_Span(lengths[rows[0]], [starts[r] for r in rows]) for rows in groups]
    whole += [_Span(n, [starts[r]]) for r, n in enumerate(sizes) if n and r not in sharing]
    rest = [_Span(sizes[r] - lengths[r], [starts[r] + lengths[r]]) for rows in groups for r in rows]
    prefix = [number for number, rows in enumerate(groups) for _ in rows]
    layout = SharedPacked([s.length for s in whole], prefix, [s.length for s in rest], device)
    return _packed(whole + rest, len(tokens), layout)


def unshared(rows: Rows) -> PackedRows:
    """Pack whole rows end to end, without sharing."""
    device = rows.index.device
    return PackedRows(slice(None), torch.arange(len(rows.index), device=device), Packed(rows.sizes.tolist(), device))


def _worth_sharing(prefix_length: int, sizes: Sequence[int]) -> bool:
    return 0 < prefix_length * (len(sizes) - 1) >= WORTH * sum(sizes)


def _packed(spans: Sequence[_Span], count: int, layout: SharedPacked) -> PackedRows:
    state, offset = torch.empty(count, dtype=torch.long), 0
    for span in spans:
        for start in span.starts:
            state[start : start + span.length] = torch.arange(offset, offset + span.length)
        offset += span.length
    tokens = torch.cat([torch.arange(s.starts[0], s.starts[0] + s.length) for s in spans])
    device = layout.positions.device
    return PackedRows(tokens.to(device), state.to(device), layout)


class SharedPacked:
    """Whole sequences end to end, then continuations: continuation i follows the whole sequence `prefix[i]`.

    The tokens of a continuation attend to that sequence and causally to themselves.
    """

    def __init__(
        self, whole: Sequence[int], prefix: Sequence[int], rest: Sequence[int], device: torch.device | str = "cpu"
    ) -> None:
        self._whole = Packed(whole, device)
        self._count = sum(whole)
        self._device = device
        sizes, lengths = torch.tensor(whole), torch.tensor(rest)
        prefix_starts, prefix_lengths = (x[list(prefix)] for x in (sizes.cumsum(0) - sizes, sizes))
        starts = self._count + lengths.cumsum(0) - lengths
        self._rows = torch.stack([prefix_starts, prefix_lengths, starts, lengths], 1)
        positions = [torch.arange(whole[of], whole[of] + n) for of, n in zip(prefix, rest, strict=True)]
        self.positions = torch.cat([self._whole.positions, torch.cat(positions).to(device)])
        self.kernel = RowAttention(torch.cat([self._whole.rows, self._rows]))

    @cached_property
    def _padded(self) -> _Continuations:
        return _Continuations(self._rows, self._device)

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        if self.kernel.supports(query, key, value):
            return self.kernel.attend(query, key, value, scaling, window)
        n = self._count
        whole = self._whole.attend(layer, query[:n], key[:n], value[:n], scaling, window)
        return torch.cat([whole, self._padded.attend(query, key, value, scaling, window)])


class _Continuations:
    """Attention of continuations in padded blocks: the keys of their prefixes are left of their own."""

    def __init__(self, rows: Tensor, device: torch.device | str) -> None:
        """`rows` [R, 4]: first token and length of the prefix, first token and length of the continuation."""
        prefixes, prefix_lengths = rows[:, 0], rows[:, 1]
        starts, lengths = rows[:, 2], rows[:, 3]
        members = group_similar(prefix_lengths.tolist(), lengths.tolist())
        own, before = Blocks(starts, lengths, members), Blocks(prefixes, prefix_lengths, members)
        keys = [torch.cat(grids, 1) for grids in zip(before.grids, own.grids, strict=True)]
        self._prefix_lengths = [prefix_lengths[rows].to(device) for rows in members]
        self._queries = flat_index(own.grids).to(device)
        self._keys = flat_index(keys).to(device)
        self._inverse = own.inverse.to(device)
        self._query_shapes = own.shapes
        self._key_shapes = [(len(grid), grid.shape[1]) for grid in keys]
        self._masks: dict[int | None, list[Tensor]] = {}

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None) -> Tensor:
        """From query, key and value of all tokens, the output of the continuations."""
        outputs = []
        queries = gather(query, self._queries, self._query_shapes)
        keys, values = (gather(x, self._keys, self._key_shapes) for x in (key, value))
        for q, k, v, seen in zip(queries, keys, values, self._seen(window), strict=True):
            outputs.append(masked(q, k, v, scaling, seen).transpose(1, 2).flatten(0, 1))
        return take(torch.cat(outputs), self._inverse)

    def _seen(self, window: int | None) -> list[Tensor]:
        """For each block, the keys that each query sees: [1 or B, 1, L, K]."""
        if window not in self._masks:
            widths = zip(self._query_shapes, self._key_shapes, strict=True)
            self._masks[window] = [
                _mask(lengths, width, keys - width, window)
                for lengths, ((_, width), (_, keys)) in zip(self._prefix_lengths, widths, strict=True)
            ]
        return self._masks[window]


def _mask(prefix_lengths: Tensor, width: int, longest: int, window: int | None) -> Tensor:
    """The mask of rows whose prefixes [B] fill the first of `longest` columns, left of `width` columns of their own."""
    if bool((prefix_lengths == prefix_lengths[0]).all()):
        prefix_lengths = prefix_lengths[:1]
    length = prefix_lengths[:, None, None, None]
    left, own = (torch.arange(n, device=prefix_lengths.device) for n in (longest, width))
    before = visible(left, length + own[:, None], window) & (left < length)
    after = visible(own, own[:, None], window).expand(len(prefix_lengths), 1, width, width)
    return torch.cat([before, after], -1)
