"""Language Models are Super Mario: Absorbing Abilities from Homologous Models as a Free Lunch (Yu et al., 2024).

DARE before TIES: the entries are dropped at random in place of by size, then signs are elected.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from posttrain.models.merging.rules.dare import kept
from posttrain.models.merging.rules.ties import elected
from posttrain.seeds import seed_for


def dare_ties(vectors: Sequence[Tensor], weights: Sequence[float], *, density: float = 0.1, seed: int = 0) -> Tensor:
    """Drop entries of every vector, elect signs, merge.

    Settings:
        density: p, probability that an entry is kept; above 0 up to 1, 0.1 to 0.5 is usual.
        seed: seed of the masks, which differ from tensor to tensor and from model to model; any whole number.
    """
    return elected([kept(v, density, seed_for(seed, m)) for m, v in enumerate(vectors)], weights)
