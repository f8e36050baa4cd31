"""The energy that the last MLP loses on the state that each token is predicted from: [T], 0 for the first of a row."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def energy_loss(p: ForwardPass) -> Tensor:
    """(|h_in|_1 - |h_out|_1) / D. It carries no gradient."""
    assert p.last_mlp is not None
    return p.last_mlp.loss()[p.index.roll(1)].masked_fill(p.first, 0)


OUTPUT = Output(energy_loss, "T", order=8, hooks=True)
