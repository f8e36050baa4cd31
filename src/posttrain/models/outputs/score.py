"""The score head after the last token of each row: [B], or [B, K] for a head of K numbers."""

from __future__ import annotations

from torch import Tensor

from posttrain.core.maths.gates import mixed
from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.gate import gate
from posttrain.models.outputs.output import Output


def score(p: ForwardPass) -> Tensor:
    """The reward model's number for a whole answer, less what it does not know where the run asks for caution.

    With a gate it is the mix of the head's numbers that the prompt decides.
    """
    states = p.at_last()
    gated = "gate" in p.network.heads
    number = mixed(gate(p), p.network.numbers("score", states)) if gated else p.network.head("score", states)
    if not p.network.caution:
        return number
    deviation: Tensor = p.network.numbers("doubt", states).norm(dim=-1)
    return number - p.network.caution * deviation.to(number.dtype)


OUTPUT = Output(score, "B", head="score", order=4, of_members=True)
