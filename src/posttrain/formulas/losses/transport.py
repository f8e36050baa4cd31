"""Losses of two samples of equal size that nothing pairs. A convex function of the gaps costs least where the samples
are matched by rank: on the line, optimal transport is a sort.
"""

from __future__ import annotations

from posttrain.core.parts import PerPair, Scalar
from posttrain.formulas.losses.pairs import logistic


def sorted_logistic(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, smoothing: float = 0.0) -> Scalar:
    """Mean logistic loss of two sorted samples.

        1/n Σ_i [-(1-ε) log σ(z_i) - ε log σ(-z_i)],    z_i = β (chosen_(i) - rejected_(i)),    x_(i) the i-th smallest

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        smoothing: ε, the share of labels that are wrong; 0 up to but not including 0.5, 0.1 is usual.
    """
    losses = logistic(chosen.sort().values, rejected.sort().values, beta=beta, smoothing=smoothing)
    return losses.sum() / max(len(losses), 1)
