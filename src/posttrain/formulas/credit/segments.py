"""Segments of an answer, and how much each of them changes what a reward model says of it."""

from __future__ import annotations

import torch

from posttrain.core.parts import PerToken
from posttrain.core.rows import Rows


def segment_gain(prefix_reward: PerToken, rows: Rows, *, segment: int = 8) -> PerToken:
    """Change of the score over the segment of a token, at each of its tokens.

        q_j = s(x, y up to the end of j) - s(x, y before j),    s of nothing is 0

    Settings:
        segment: tokens of a segment, of which the last one may have fewer; at least 1, 8 to 32 is about a sentence.
    """
    gain = prefix_reward - rows.previous(prefix_reward)
    _, own = torch.unique(torch.stack([rows.index, rows.position() // segment], 1), dim=0, return_inverse=True)
    total = gain.new_zeros(len(gain)).index_add(0, own, torch.where(rows.mask, gain, 0))
    return torch.where(rows.mask, total[own], 0)


def opposite(gain: PerToken) -> PerToken:
    """Loss of score over the segment of a token: -q_j."""
    return -gain
