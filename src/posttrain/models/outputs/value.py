"""The value head before each token: [T], 0 for the first token of a row."""

from __future__ import annotations

import torch
from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.kernels.padded_blocks import take
from posttrain.models.outputs.output import Output


def value(p: ForwardPass) -> Tensor:
    """The head's number for the state before tokens[t]; [T, K] for a head of K numbers."""
    numbers = take(p.network.head("value", p.states), p.index.roll(1))
    return torch.where(p.first if numbers.dim() == 1 else p.first[:, None], 0, numbers)


OUTPUT = Output(value, "T", head="value", order=3)
