"""The score head after the last token of each row: [B], or [B, K] for a head of K numbers."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def score(p: ForwardPass) -> Tensor:
    """The reward model's number for a whole answer."""
    return p.network.head("score", p.at_last())


OUTPUT = Output(score, "B", head="score", order=4, of_members=True)
