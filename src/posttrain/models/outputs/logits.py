"""The logits that each token is predicted from: [T, V], 0 for the first token of a row."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass, positive
from posttrain.models.outputs.output import Output


def logits(p: ForwardPass) -> Tensor:
    """Scores of all tokens in the place of tokens[t], divided by the row's temperature (not where that is 0)."""
    before = p.before()
    tau = positive(p.temperature, before)
    scores = p.network.logits(before) / (tau[:, None] if tau.dim() else tau)
    return scores.masked_fill(p.first[:, None], 0)


OUTPUT = Output(logits, "T V", order=2, writes=True)
