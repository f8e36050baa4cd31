"""The score head after every token: [T], or [T, K]. A reward model that says how good each prefix is."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.kernels.padded_blocks import take
from posttrain.models.outputs.output import Output


def prefix_score(p: ForwardPass) -> Tensor:
    """The head's number for the state after tokens[t]; at the last token of a row it is `score`."""
    return take(p.network.head("score", p.states), p.index)


OUTPUT = Output(prefix_score, "T", head="score", order=5, of_members=True)
