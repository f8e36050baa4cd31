"""Distances of all pairs of prototypes of a reward model: [B, K], the same numbers for every row."""

from __future__ import annotations

from torch import Tensor

from posttrain.core.maths.prototypes import between
from posttrain.models.forward_pass import ForwardPass
from posttrain.models.outputs.output import Output


def prototype_distances(p: ForwardPass) -> Tensor:
    """What keeps prototypes apart reads them. The head `prototype` holds one in each row of its weight."""
    return between(p.network.heads["prototype"].get_parameter("weight")).expand(p.rows.count, -1)


OUTPUT = Output(prototype_distances, "B K", head="prototype", order=11)
