"""The score head after the last token of each row: [B], or [B, K] for a head of K numbers."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def score(p: ForwardPass) -> Tensor:
    """The reward model's number for a whole answer, less what it does not know where the run asks for caution."""
    states = p.at_last()
    number = p.network.head("score", states)
    if not p.network.caution:
        return number
    deviation: Tensor = p.network.numbers("doubt", states).norm(dim=-1)
    return number - p.network.caution * deviation.to(number.dtype)


OUTPUT = Output(score, "B", head="score", order=4, of_members=True)
