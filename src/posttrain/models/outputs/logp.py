"""The log-probability of each written token: [T], 0 elsewhere."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def logp(p: ForwardPass) -> Tensor:
    """log p(tokens[t] | tokens before it) at the row's temperature."""
    return p.logp_and_entropy[0]


OUTPUT = Output(logp, "T", order=1, writes=True)
