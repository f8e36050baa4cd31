"""Spans of flat tokens as padded blocks: the only place where sequences are padded, and only for attention.

Legend: N tokens of all spans, B spans of a block, L width of a block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

import torch
from torch import Tensor

SIMILAR = 0.75  # spans share a block if the shorter is at least this part of the longer,
SLACK = 16  # or at most this many tokens shorter


class Blocks:
    """Where the tokens of spans stand, block by block, and the way back. Spans may overlap; none is empty.

    Padding repeats the last token of its span: it comes after all real tokens, so causal attention never sees it.
    """

    def __init__(self, starts: Tensor, lengths: Tensor, members: Iterable[Sequence[int]]) -> None:
        self.grids: list[Tensor] = []  # places of tokens [B, L]
        self.back = torch.empty(int(lengths.sum()), dtype=torch.long)  # [N] tokens in the order of the spans
        order, offset = lengths.cumsum(0) - lengths, 0
        for spans in members:
            length = lengths[spans, None]
            column = torch.arange(int(length.max()))
            real = column < length
            self.back[(order[spans, None] + column)[real]] = offset + real.flatten().nonzero()[:, 0]
            self.grids.append(starts[spans, None] + torch.minimum(column, length - 1))
            offset += real.numel()

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """B and L of each block."""
        return [(len(grid), grid.shape[1]) for grid in self.grids]


def take(x: Tensor, places: Tensor) -> Tensor:
    """x[places]. Its backward pass adds up in the order of the places, so that every run has the same bits; that of an
    index adds as threads come by, and takes 15 to 30 times as long."""
    return x.index_select(0, places)


def gather(x: Tensor, places: Tensor, shapes: Sequence[tuple[int, int]]) -> list[Tensor]:
    """Heads of flat tokens [N, H, D] -> block by block [B, H, L, D], all blocks at once."""
    pieces = torch.tensor_split(take(x, places), [*accumulate(rows * width for rows, width in shapes)])
    return [
        piece.view(rows, width, *x.shape[1:]).transpose(1, 2)
        for piece, (rows, width) in zip(pieces, shapes, strict=False)  # an empty piece comes last
    ]


def flat(grids: Sequence[Tensor]) -> Tensor:
    """All places, to gather every block at once."""
    return torch.cat([torch.empty(0, dtype=torch.long), *(grid.flatten() for grid in grids)])


def similar(*sizes: Sequence[int]) -> list[list[int]]:
    """Numbers of the spans in blocks whose members differ little in each of the sizes, longest first."""
    blocks: list[list[int]] = []
    for span in sorted(range(len(sizes[0])), key=lambda r: [-size[r] for size in sizes]):
        home = next((b for b in blocks if all(_near(size[span], size[b[0]]) for size in sizes)), None)
        if home is None:
            blocks.append([span])
        else:
            home.append(span)
    return blocks


def _near(size: int, longest: int) -> bool:
    return min(SIMILAR * longest, longest - SLACK) <= size <= longest
