"""Turns: the parts of a conversation that a model wrote, between what others said."""

from __future__ import annotations

import torch
from torch import Tensor

from posttrain.core.maths.segments import Segments
from posttrain.core.rows import Rows


def whole(conversation: Tensor, rows: Rows) -> Rows:
    """Join the rows of each conversation, which are neighbours, to one: `next` and `discount` go on in the next row."""
    _, number = torch.unique_consecutive(conversation, return_inverse=True)
    return Rows(number[rows.index], rows.mask, int(number[-1]) + 1)


def turns(turn: Tensor, conversation: Tensor, rows: Rows) -> Segments:
    """Return the turns of all conversations, in order. `turn` [T]: the number of the turn of each token."""
    joined = whole(conversation, rows)
    return Segments.of(turn != joined.previous(turn), joined)


def ends(turn: Tensor, conversation: Tensor, rows: Rows) -> Tensor:
    """Mark the last trained token of every turn: [T] bool."""
    own = turns(turn, conversation, rows)
    return rows.mask & (own.position() == own.spread(own.length()) - 1)
