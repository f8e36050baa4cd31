"""How far the distribution that each written token was predicted from is from the uniform one: [T], 0 elsewhere."""

from __future__ import annotations

import math

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def certainty(p: ForwardPass) -> Tensor:
    """KL(U || p) = log Σ_v e^{z_v} - mean z - log V, in nats, at the row's temperature, without all logits in memory.

    The log-prob of the token, z_y - log Σ_v e^{z_v}, gives the first term.
    """
    before, place, tau = p.predicting
    raised = p.network.above_mean(before, p.tokens[place]) / tau
    return p.spread(raised - p.logp_and_entropy[0][place] - math.log(p.network.vocab_size), place)


OUTPUT = Output(certainty, "T", order=2, writes=True)
