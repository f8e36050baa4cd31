"""Links that reward models use: one loss per pair [N] of two scores, which are log-odds up to a constant per prompt."""

from __future__ import annotations

import math

import torch
from torch.nn.functional import softplus

from posttrain.core.parts import PerPair


def soft_logistic(chosen: PerPair, rejected: PerPair, chosen_agreement: PerPair) -> PerPair:
    """Cross-entropy with the share q of annotators (or the probability of a judge) for the preferred answer.

    -q log σ(Δ) - (1-q) log σ(-Δ),    Δ = chosen - rejected
    """
    delta = chosen - rejected
    return chosen_agreement * softplus(-delta) + (1 - chosen_agreement) * softplus(delta)


def soft_margin_logistic(
    chosen: PerPair, rejected: PerPair, chosen_agreement: PerPair, chosen_margin: PerPair
) -> PerPair:
    """Cross-entropy with the probability q of the label, for a gap that must exceed the margin m.

    -q log σ(z) - (1-q) log σ(-z),    z = chosen - rejected - m
    """
    z = chosen - rejected - chosen_margin
    return chosen_agreement * softplus(-z) + (1 - chosen_agreement) * softplus(z)


def noisy_logistic(chosen: PerPair, rejected: PerPair, *, flips: float = 0.1) -> PerPair:
    """Negative log-likelihood of labels of which a share is flipped; clear contradictions teach little.

        -log [(1-ε) σ(Δ) + ε σ(-Δ)],    Δ = chosen - rejected

    Settings:
        flips: ε, the share of labels that are wrong; 0 (none) up to but not including 0.5, 0.05 to 0.3 in practice.
    """
    delta = chosen - rejected
    right = math.log(1 - flips) - softplus(-delta)
    return -right if flips == 0 else -torch.logaddexp(right, math.log(flips) - softplus(delta))


def focal_logistic(chosen: PerPair, rejected: PerPair, *, gamma: float = 2.0) -> PerPair:
    """Logistic loss that decays for pairs that are already told apart.

        -(1 - 2 max(0, p - 1/2))^γ log p,    p = σ(chosen - rejected)

    Settings:
        gamma: γ, decay for easy pairs; 0 is Bradley and Terry's loss, 2 in InternLM2.
    """
    delta = chosen - rejected
    return (2 * (-delta).sigmoid()).clamp(max=1) ** gamma * softplus(-delta)


def tied_logistic(chosen: PerPair, rejected: PerPair, chosen_tie: PerPair, *, theta: float = 1.5) -> PerPair:
    """Negative log-likelihood of a preference or a tie under Rao and Kupper's model.

        -log σ(Δ - log θ) for a preference,    -log [(θ²-1) σ(Δ - log θ) σ(-Δ - log θ)] for a tie

    Settings:
        theta: θ, above 1; equal answers tie with probability (θ-1)/(θ+1), 0.2 at 1.5.
    """
    delta, step = chosen - rejected, math.log(theta)
    win = softplus(step - delta)
    return win + chosen_tie * (softplus(step + delta) - math.log(theta**2 - 1))


def squared_sum(chosen: PerPair, rejected: PerPair) -> PerPair:
    """Square of the sum of the two scores, which the loss of a pair leaves open: (chosen + rejected)²."""
    return (chosen + rejected) ** 2


def likely(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1) -> PerPair:  # noqa: ARG001 (a link has two columns)
    """Logistic loss of the log-likelihood of the preferred answer alone.

        -log σ(β chosen)

    Settings:
        beta: scale of the log-likelihood; 0.1 in the paper.
    """
    return softplus(-beta * chosen)
