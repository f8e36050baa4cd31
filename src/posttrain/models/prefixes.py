"""Rows that begin with the same tokens read them once, forward and backward.

The answers of a group follow one prompt, the two answers of a pair another. The trunk gets each such prefix once and
what is left of every row; the keys and values of a prefix serve all its rows, so its gradient comes from all of them.

Legend: T tokens of all rows, N tokens that the trunk reads, P tokens of a prefix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from posttrain.core.tensors import Rows
from posttrain.models.attention import Layout, Packed
from posttrain.models.kernels.block_attention import masked, within
from posttrain.models.kernels.padded_blocks import Blocks, flat, gather, similar, take
from posttrain.models.kernels.row_attention import Spans

WORTH = 1 / 16  # a prefix is shared if that spares at least this part of the tokens of its rows


@dataclass(frozen=True, eq=False)
class Reading:
    """What the trunk reads of some rows."""

    places: Tensor | slice  # [N] which of the tokens
    after: Tensor  # [T] number of the state that follows each token
    layout: Layout


@dataclass(frozen=True)
class _Span:
    """Neighbouring tokens that are read together. A shared prefix stands in several rows."""

    length: int
    starts: list[int]  # its places among all tokens


def read(tokens: Tensor, written: Rows) -> Reading:
    """Whole rows end to end, or where it is worth it shared prefixes once; outputs and gradients are the same.

    A row's prefix is what stands before its first token in the mask, at most all but its last token.
    """
    sizes, device = written.sizes.tolist(), tokens.device
    alike: dict[bytes, list[int]] = {}
    for row, bytes_ in enumerate(written.prefixes(tokens)):
        alike.setdefault(bytes_, []).append(row)
    leads = written.lead().tolist()
    groups = [rows for rows in alike.values() if _worth(leads[rows[0]], [sizes[r] for r in rows])]
    if not groups:
        return apart(written)

    starts = (written.sizes.cumsum(0) - written.sizes).tolist()
    sharing = {row for rows in groups for row in rows}
    whole = [_Span(leads[rows[0]], [starts[r] for r in rows]) for rows in groups]
    whole += [_Span(n, [starts[r]]) for r, n in enumerate(sizes) if n and r not in sharing]
    rest = [_Span(sizes[r] - leads[r], [starts[r] + leads[r]]) for rows in groups for r in rows]
    prefix = [number for number, rows in enumerate(groups) for _ in rows]
    layout = SharedPacked([s.length for s in whole], prefix, [s.length for s in rest], device)
    return _reading(whole + rest, len(tokens), layout)


def apart(rows: Rows) -> Reading:
    """Whole rows end to end, each for itself."""
    device = rows.index.device
    return Reading(slice(None), torch.arange(len(rows.index), device=device), Packed(rows.sizes.tolist(), device))


def _worth(lead: int, sizes: Sequence[int]) -> bool:
    return 0 < lead * (len(sizes) - 1) >= WORTH * sum(sizes)


def _reading(spans: Sequence[_Span], count: int, layout: SharedPacked) -> Reading:
    after, offset = torch.empty(count, dtype=torch.long), 0
    for span in spans:
        for start in span.starts:
            after[start : start + span.length] = torch.arange(offset, offset + span.length)
        offset += span.length
    places = torch.cat([torch.arange(s.starts[0], s.starts[0] + s.length) for s in spans])
    device = layout.positions.device
    return Reading(places.to(device), after.to(device), layout)


class SharedPacked:
    """Whole sequences end to end, then continuations: number i goes on after the whole sequence `prefix[i]`.

    The tokens of a continuation attend to that sequence and causally to themselves.
    """

    def __init__(
        self, whole: Sequence[int], prefix: Sequence[int], rest: Sequence[int], device: torch.device | str = "cpu"
    ) -> None:
        self._whole, self._count, self._device = Packed(whole, device), sum(whole), device
        sizes, lengths = torch.tensor(whole), torch.tensor(rest)
        before, leads = (x[list(prefix)] for x in (sizes.cumsum(0) - sizes, sizes))
        self._rows = torch.stack([before, leads, self._count + lengths.cumsum(0) - lengths, lengths], 1)
        places = [torch.arange(whole[of], whole[of] + n) for of, n in zip(prefix, rest, strict=True)]
        self.positions = torch.cat([self._whole.positions, torch.cat(places).to(device)])
        self._spans = Spans(torch.cat([self._whole.rows, self._rows]))

    @cached_property
    def _padded(self) -> _Continuations:
        return _Continuations(self._rows, self._device)

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None
    ) -> Tensor:
        if self._spans.runs(query, key, value):
            return self._spans.attend(query, key, value, scaling, window)
        n = self._count
        whole = self._whole.attend(layer, query[:n], key[:n], value[:n], scaling, window)
        return torch.cat([whole, self._padded.attend(query, key, value, scaling, window)])


class _Continuations:
    """Attention of continuations in padded blocks: the keys of their prefixes stand left of their own."""

    def __init__(self, rows: Tensor, device: torch.device | str) -> None:
        prefixes, leads, starts, lengths = rows.unbind(1)
        members = similar(leads.tolist(), lengths.tolist())
        own, before = Blocks(starts, lengths, members), Blocks(prefixes, leads, members)
        keys = [torch.cat(grids, 1) for grids in zip(before.grids, own.grids, strict=True)]
        self._leads = [leads[rows].to(device) for rows in members]
        self._queries, self._keys, self._back = (x.to(device) for x in (flat(own.grids), flat(keys), own.back))
        self._of_queries, self._of_keys = own.shapes, [(len(grid), grid.shape[1]) for grid in keys]
        self._seen: dict[int | None, list[Tensor]] = {}

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None) -> Tensor:
        """Of all tokens; what is returned is of the continuations."""
        outputs = []
        queries = gather(query, self._queries, self._of_queries)
        keys, values = (gather(x, self._keys, self._of_keys) for x in (key, value))
        for q, k, v, seen in zip(queries, keys, values, self._masks(window), strict=True):
            outputs.append(masked(q, k, v, scaling, seen).transpose(1, 2).flatten(0, 1))
        return take(torch.cat(outputs), self._back)

    def _masks(self, window: int | None) -> list[Tensor]:
        """Which keys each query sees, block by block: [1 or B, 1, L, K]."""
        if window not in self._seen:
            widths = zip(self._of_queries, self._of_keys, strict=True)
            self._seen[window] = [
                _seen(leads, width, keys - width, window)
                for leads, ((_, width), (_, keys)) in zip(self._leads, widths, strict=True)
            ]
        return self._seen[window]


def _seen(leads: Tensor, width: int, longest: int, window: int | None) -> Tensor:
    """Of rows with prefixes of `leads` tokens in `longest` columns, left of their own tokens in `width` columns."""
    if bool((leads == leads[0]).all()):
        leads = leads[:1]
    lead = leads[:, None, None, None]
    left, own = (torch.arange(n, device=leads.device) for n in (longest, width))
    before = within(left, lead + own[:, None], window) & (left < lead)
    after = within(own, own[:, None], window).expand(len(leads), 1, width, width)
    return torch.cat([before, after], -1)
