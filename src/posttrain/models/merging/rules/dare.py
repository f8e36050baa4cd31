"""Language Models are Super Mario: Absorbing Abilities from Homologous Models as a Free Lunch (Yu et al., 2024).

Drop and rescale: entries of the task vectors are dropped at random, and the others grow so that the mean stays.

    F(v) = m v / p,    m ~ Bernoulli(p),    merged = Σ w_m F(v_m)
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from posttrain.models.merging.rules.task_arithmetic import task_arithmetic
from posttrain.seeds import seed_for


def dare(vectors: Sequence[Tensor], weights: Sequence[float], *, density: float = 0.1, seed: int = 0) -> Tensor:
    """Drop entries of every vector, and add.

    Settings:
        density: p, probability that an entry is kept; above 0 up to 1, 0.1 to 0.5 is usual.
        seed: seed of the masks, which differ from tensor to tensor and from model to model; any whole number.
    """
    return task_arithmetic([kept(v, density, seed_for(seed, m)) for m, v in enumerate(vectors)], weights)


def kept(vector: Tensor, density: float, seed: int) -> Tensor:
    """The vector with a random share of its entries, grown by 1 / density; the masks are the same on every machine."""
    if density >= 1:
        return vector
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(vector.shape, generator=generator, dtype=torch.float32) < density
    return vector * mask.to(vector.device) / density
