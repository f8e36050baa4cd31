"""The hidden state after the last token of each row: [B, D]."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def feature(p: ForwardPass) -> Tensor:
    """What a linear reward model, a gate or a measure of uncertainty reads."""
    return p.at_last()


OUTPUT = Output(feature, "B D", order=6)
