"""The attention of the last layer from the last token of each row: [T], which sums to 1 over a row."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def attention(p: ForwardPass) -> Tensor:
    """How much the state after a row's last token takes from tokens[t], averaged over the heads."""
    assert p.watched is not None
    return p.watched.from_last(p.rows, p.index)


OUTPUT = Output(attention, "T", order=8, watches=True)
