"""The gate head at the end of the prompt of each row: [B, K], a log-weight for each attribute."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def gate(p: ForwardPass) -> Tensor:
    """What the attributes count for this prompt. It reads the model as it is: no gradient reaches the layers."""
    return p.network.numbers("gate", p.at_prompt().detach())


OUTPUT = Output(gate, "B K", head="gate", order=10)
