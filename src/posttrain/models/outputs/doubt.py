"""The state after the last token of each row, in coordinates whose norm is what the score does not know: [B, K]."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def doubt(p: ForwardPass) -> Tensor:
    """C⁻¹ e for a precision P = C C' of the score's weights, so that |C⁻¹ e|² = e' P⁻¹ e is the score's variance."""
    return p.network.numbers("doubt", p.at_last())


OUTPUT = Output(doubt, "B K", head="doubt", order=8)
