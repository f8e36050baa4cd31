"""The hidden state after each token: [T, D]."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def hidden(p: ForwardPass) -> Tensor:
    """State after tokens[t]."""
    return p.after()


OUTPUT = Output(hidden, "T D", order=0)
