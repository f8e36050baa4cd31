"""Steps of an optimiser that are merged with a task vector (Lu et al., 2024).

OnDARE    α F(τ) + (1-α) F(d)                       OnTIES    the same, where the sign is that of F(τ) + F(d)
"""

from __future__ import annotations

from torch import Tensor

from posttrain.core.weights import StepMerging
from posttrain.models.merging.rules.dare import kept
from posttrain.models.merging.rules.ties import largest

LARGEST = 1.0  # entries of a task vector are clipped to this size, as the authors' code does


def sparse(vector: Tensor, how: StepMerging, seed: int) -> Tensor:
    """F: the share of the entries of a step or a task vector that is merged."""
    if how.density >= 1:
        return vector
    return kept(vector, how.density, seed) if how.rule == "dare" else largest(vector, how.density)


def merged_step(step: Tensor, task: Tensor, how: StepMerging) -> Tensor:
    """The step that replaces d, of F(d) and F(τ). A sum of 0 counts as positive."""
    if how.rule == "ties":
        positive = step + task >= 0
        step, task = (x * ((x > 0) == positive) for x in (step, task))
    return how.weight * task + (1 - how.weight) * step
