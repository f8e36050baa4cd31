"""Links: from the scores of a preferred and a rejected row to one loss per pair."""

from __future__ import annotations

from torch.nn.functional import softplus

from posttrain.parts import PerPair


def logistic(
    chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, margin: float = 0.0, smoothing: float = 0.0
) -> PerPair:
    """-(1-ε) log σ(z) - ε log σ(-z), z = β (chosen - rejected) - margin"""
    z = beta * (chosen - rejected) - margin
    return (1 - smoothing) * softplus(-z) + smoothing * softplus(z)


def squared(chosen: PerPair, rejected: PerPair, *, tau: float = 0.1) -> PerPair:
    """(chosen - rejected - 1/(2τ))²"""
    return (chosen - rejected - 1 / (2 * tau)) ** 2


def gap(chosen: PerPair, rejected: PerPair) -> PerPair:
    """chosen - rejected"""
    return chosen - rejected


def ordered(chosen: PerPair, rejected: PerPair) -> PerPair:
    """1 where the preferred row scores higher, 0.5 for a tie: its mean is the accuracy."""
    return (chosen > rejected).to(chosen.dtype) + 0.5 * (chosen == rejected).to(chosen.dtype)


def first(chosen: PerPair, rejected: PerPair) -> PerPair:  # noqa: ARG001 (a link has two columns)
    """The score of the preferred row."""
    return chosen


def second(chosen: PerPair, rejected: PerPair) -> PerPair:  # noqa: ARG001 (a link has two columns)
    """The score of the rejected row."""
    return rejected
