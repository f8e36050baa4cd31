"""A number that the model learns beside its weights, the same for every row: [B]."""

from __future__ import annotations

import torch
from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def constant(p: ForwardPass) -> Tensor:
    """The bias of a head that sees no state: how often people call answers equal, a temperature."""
    return p.network.head("constant", torch.zeros_like(p.at_last()))


OUTPUT = Output(constant, "B", head="constant", order=7)
