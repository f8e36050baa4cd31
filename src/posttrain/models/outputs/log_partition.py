"""The soft value of the state that each written token was predicted from: [T], 0 elsewhere."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def log_partition(p: ForwardPass) -> Tensor:
    """log Σ_v e^{z_v} of the logits z, at the row's temperature: V(s) where the logits are Q(s, ·)."""
    before, place, tau = p.predicting
    z = p.network.logits(before) / (tau[:, None] if tau.dim() else tau)
    return p.spread(z.logsumexp(-1), place)


OUTPUT = Output(log_partition, "T", order=2, writes=True)
