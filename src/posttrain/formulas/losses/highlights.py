"""What people point at in an answer, learned beside which of two answers they prefer."""

from __future__ import annotations

import torch
from torch.nn.functional import softplus

from posttrain.core.parts import PerRow, PerToken
from posttrain.core.rows import Rows


def highlighted(prefix_score: PerToken, highlight: PerToken, rows: Rows) -> PerRow:
    """Logistic loss of the highlights of an answer: what is praised earns more than the rest of it, and blame less.

        Σ_t |h_t| softplus(-sign(h_t) (r_t - b)) / Σ_t |h_t|,    r_t = s(y_≤t) - s(y_<t)

    b is the mean of r_t over the tokens without a highlight. The loss is 0 for an answer without any.
    """
    gain = torch.where(rows.mask, prefix_score - rows.previous(prefix_score), 0)
    rest = Rows(rows.index, rows.mask & (highlight == 0), rows.count).mean(gain)
    loss = highlight.abs() * softplus(-highlight.sign() * (gain - rest[rows.index]))
    weight = rows.sum(highlight.abs())
    return rows.sum(loss) / torch.where(weight > 0, weight, 1)
