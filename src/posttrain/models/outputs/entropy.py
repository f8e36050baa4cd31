"""The entropy of the distribution that each written token was predicted from: [T], 0 elsewhere."""

from __future__ import annotations

from torch import Tensor

from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def entropy(p: ForwardPass) -> Tensor:
    """-Σ p log p, in nats, at the row's temperature."""
    found = p.logp_and_entropy[1]
    assert found is not None
    return found


OUTPUT = Output(entropy, "T", order=1, writes=True)
