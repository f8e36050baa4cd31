"""Parts of an answer that a reward has marked, and a KL that counts on their tokens alone."""

from __future__ import annotations

import torch

from posttrain.core.maths.segments import Segments
from posttrain.core.parts import PerToken
from posttrain.core.rows import Rows


def in_marked(marks: PerToken, rows: Rows) -> PerToken:
    """1 at the tokens of the marked parts, else 0.

    `marks` has a number at the last token of each part: above 0 where it is marked, below where it is not. What stands
    behind the last number, such as the token that ends the answer, belongs to the last part.
    """
    parts = Segments.of(rows.previous(marks), rows)
    value = parts.last(marks)
    value = torch.where(value == 0, parts.rows.previous(value), value)
    return parts.spread((value > 0).to(marks.dtype))


def logp_in_marked(old_logp: PerToken, ref_logp: PerToken, marked: PerToken) -> PerToken:
    """Log-prob that is that of the reference outside the marked parts: log π_ref + m (log π_old - log π_ref)."""
    return ref_logp + marked * (old_logp - ref_logp)


def times_marked(penalty: PerToken, marked: PerToken) -> PerToken:
    """Penalty on the tokens of the marked parts alone: m_t x_t."""
    return marked * penalty
