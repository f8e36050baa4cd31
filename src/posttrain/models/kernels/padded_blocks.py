"""Padded blocks of flat tokens: the only place where sequences are padded, and only for attention.

Legend: N tokens of all spans, B spans of a block, L width of a block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

import torch
from torch import Tensor

SIMILAR = 0.75  # spans share a block if the shorter is at least this fraction of the longer,
SLACK = 16  # or at most this many tokens shorter


class Blocks:
    """Indices that gather spans of tokens into padded blocks, and their inverse. Spans may overlap; none is empty.

    Padding repeats the last token of its span. It comes after all real tokens, so causal attention never sees it.
    """

    def __init__(self, starts: Tensor, lengths: Tensor, members: Iterable[Sequence[int]]) -> None:
        self.grids: list[Tensor] = []  # indices of tokens [B, L]
        self.inverse = torch.empty(int(lengths.sum()), dtype=torch.long)  # [N] from blocks to the order of the spans
        order, offset = lengths.cumsum(0) - lengths, 0
        for spans in members:
            length = lengths[spans, None]
            column = torch.arange(int(length.max()))
            real = column < length
            self.inverse[(order[spans, None] + column)[real]] = offset + real.flatten().nonzero()[:, 0]
            self.grids.append(starts[spans, None] + torch.minimum(column, length - 1))
            offset += real.numel()

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """B and L of each block."""
        return [(len(grid), grid.shape[1]) for grid in self.grids]


def take(x: Tensor, index: Tensor) -> Tensor:
    """x[index], with a backward pass that adds in the order of the index, so that every run has the same bits.

    The backward pass of `x[index]` itself adds in the order of its threads, and takes 15 to 30 times as long.
    """
    return x.index_select(0, index)


def gather(x: Tensor, index: Tensor, shapes: Sequence[tuple[int, int]]) -> list[Tensor]:
    """Heads of flat tokens [N, H, D] -> one tensor [B, H, L, D] for each block, gathered at once."""
    pieces = torch.tensor_split(take(x, index), [*accumulate(rows * width for rows, width in shapes)])
    return [
        piece.view(rows, width, *x.shape[1:]).transpose(1, 2)
        for piece, (rows, width) in zip(pieces, shapes, strict=False)  # an empty piece comes last
    ]


def flat_index(grids: Sequence[Tensor]) -> Tensor:
    """The indices of all blocks end to end, for `gather`."""
    return torch.cat([torch.empty(0, dtype=torch.long), *(grid.flatten() for grid in grids)])


def group_similar(*sizes: Sequence[int]) -> list[list[int]]:
    """Group spans, by number, so that the members of a group differ little in each of the sizes. Longest first."""
    blocks: list[list[int]] = []
    for span in sorted(range(len(sizes[0])), key=lambda r: [-size[r] for size in sizes]):
        block = next((b for b in blocks if all(_similar(size[span], size[b[0]]) for size in sizes)), None)
        if block is None:
            blocks.append([span])
        else:
            block.append(span)
    return blocks


def _similar(size: int, longest: int) -> bool:
    return min(SIMILAR * longest, longest - SLACK) <= size <= longest
