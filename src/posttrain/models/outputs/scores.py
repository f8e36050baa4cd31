"""All numbers of the score head after the last token of each row: [B, K]."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def scores(p: ForwardPass) -> Tensor:
    """What adds up to the score: attributes, quantiles, the parts of an embedding."""
    return p.network.numbers("score", p.at_last())


OUTPUT = Output(scores, "B K", head="score", order=4, of_members=True)
