"""Links: from the scores of a preferred and a rejected row to one loss per pair."""

from __future__ import annotations

import math
from typing import Literal

from torch.nn.functional import softplus

from posttrain.core.maths.divergence import bernoulli_kl, bounded_exp, logit_of_entropy
from posttrain.core.parts import Function, Part, PerPair, Scalar, pairwise


def logistic(
    chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, margin: float = 0.0, smoothing: float = 0.0
) -> PerPair:
    """-(1-ε) log σ(z) - ε log σ(-z), z = β (chosen - rejected) - margin"""
    z = beta * (chosen - rejected) - margin
    return (1 - smoothing) * softplus(-z) + smoothing * softplus(z)


def debiased_logistic(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, smoothing: float = 0.1) -> PerPair:
    """[-(1-ε) log σ(z) + ε log σ(-z)] / (1 - 2ε), z = β (chosen - rejected)"""
    z = beta * (chosen - rejected)
    return ((1 - smoothing) * softplus(-z) - smoothing * softplus(z)) / (1 - 2 * smoothing)


def hinge(chosen: PerPair, rejected: PerPair, *, beta: float = 1.0, delta: float = 1.0) -> PerPair:
    """max(0, δ - β (chosen - rejected))"""
    return (delta - beta * (chosen - rejected)).clamp(min=0)


def convex(
    chosen: PerPair,
    rejected: PerPair,
    *,
    beta: float = 0.1,
    shape: Literal["logistic", "hinge", "squared", "exponential", "truncated_square", "savage"] = "exponential",
) -> PerPair:
    """f(β (chosen - rejected)); f by `shape`: log(1+e⁻ᶻ), max(0, 1-z), (z-1)², e⁻ᶻ, max(0, 1-z)² or 1/(1+eᶻ)²"""
    z = beta * (chosen - rejected)
    match shape:
        case "logistic":
            return softplus(-z)
        case "hinge":
            return (1 - z).clamp(min=0)
        case "squared":
            return (z - 1) ** 2
        case "exponential":
            return bounded_exp(-z)
        case "truncated_square":
            return (1 - z).clamp(min=0) ** 2
        case _:
            return (-z).sigmoid() ** 2


def blended(chosen: PerPair, rejected: PerPair, *, beta: float = 0.05, tau: float = 0.05) -> PerPair:
    """(1 - σ(z/τ)) log(1 + e⁻ᶻ) + σ(z/τ) e⁻ᶻ, z = β (chosen - rejected)"""
    z = beta * (chosen - rejected)
    share = (z / tau).sigmoid()
    return (1 - share) * softplus(-z) + share * bounded_exp(-z)


def biased_logistic(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, bias: float = 0.5) -> PerPair:
    """-log [e^{β chosen} / (e^{β chosen} + e^{λ β rejected})], λ = bias"""
    return softplus(beta * (bias * rejected - chosen))


def weighted_logistic(
    chosen: PerPair, rejected: PerPair, chosen_weight: PerPair, rejected_weight: PerPair, *, beta: float = 0.1
) -> PerPair:
    """-min(1, w_w w_l) log σ(β (chosen - rejected)), no gradient through the weights"""
    weight = (chosen_weight * rejected_weight).detach().clamp(max=1)
    return weight * softplus(-beta * (chosen - rejected))


def reverse_kl(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, smoothing: float = 1e-3) -> PerPair:
    """KL(q || p), q = (σ(z), σ(-z)), p = (1-ε, ε), z = β (chosen - rejected)"""
    z = beta * (chosen - rejected)
    kept, lost = math.log1p(-smoothing), math.log(smoothing)
    return z.sigmoid() * (-softplus(-z) - kept) + (-z).sigmoid() * (-softplus(z) - lost)


def reward_gap(
    chosen: PerPair,
    rejected: PerPair,
    chosen_reward: PerPair,
    rejected_reward: PerPair,
    *,
    beta: float = 0.1,
    eta: float = 1.0,
    distance: Literal["backward", "forward", "squared"] = "backward",
) -> PerPair:
    """KL(σ(b) || σ(a)), KL(σ(a) || σ(b)) or (a - b)²; a = β (chosen - rejected), b = η (difference of the rewards)"""
    a, b = beta * (chosen - rejected), eta * (chosen_reward - rejected_reward)
    match distance:
        case "backward":
            return bernoulli_kl(b, a)
        case "forward":
            return bernoulli_kl(a, b)
        case _:
            return (a - b) ** 2


def soft_logistic(
    chosen: PerPair, rejected: PerPair, chosen_reward: PerPair, rejected_reward: PerPair, *, eta: float = 0.1
) -> PerPair:
    """-p log σ(z) - (1-p) log σ(-z), z = η (chosen - rejected), p = σ(difference of the rewards)"""
    z, label = eta * (chosen - rejected), (chosen_reward - rejected_reward).sigmoid()
    return label * softplus(-z) + (1 - label) * softplus(z)


def scaled_logistic(
    chosen: PerPair,
    rejected: PerPair,
    *,
    beta: float = 0.1,
    rho: float = 0.1,
    smallest: float = 0.1,
    largest: float = 5.0,
) -> PerPair:
    """min over τ in [smallest, largest] of -τ log σ(Δ/τ) + (ρ - log 2) τ, Δ = β (chosen - rejected)

    The minimum is at τ = |Δ|/c with H(σ(c)) = log 2 - ρ, cut to the interval; no gradient through τ.
    """
    delta = beta * (chosen - rejected)
    tau = (delta.detach().abs() / logit_of_entropy(math.log(2) - rho)).clamp(smallest, largest)
    return tau * softplus(-delta / tau) + (rho - math.log(2)) * tau


def sequential_kl(
    chosen: PerPair, rejected: PerPair, chosen_kl: PerPair, rejected_kl: PerPair, *, beta: float = 0.1
) -> PerPair:
    """-log σ(β (chosen - rejected) - β (D_l - D_w)), D the forward KL summed over the answer"""
    return softplus(-beta * (chosen - rejected - (rejected_kl - chosen_kl)))


def one_sided_sequential_kl(
    chosen: PerPair,
    rejected: PerPair,
    chosen_kl: PerPair,
    rejected_kl: PerPair,
    *,
    beta: float = 0.1,
    alpha: float = 0.5,
) -> PerPair:
    """-log σ(β (chosen - rejected) - αβ (D_l - D_w)), no gradient through D_w"""
    return softplus(-beta * (chosen - rejected - alpha * (rejected_kl - chosen_kl.detach())))


def safety_target(
    chosen: PerPair,
    rejected: PerPair,
    chosen_safe: PerPair,
    rejected_safe: PerPair,
    *,
    tau: float = 0.01,
    alpha: float = 0.5,
) -> PerPair:
    """(chosen - rejected - (3/2 I_w - 1/2 I_l - α)/τ)², I = 1 for a safe answer"""
    return (chosen - rejected - (1.5 * chosen_safe - 0.5 * rejected_safe - alpha) / tau) ** 2


def offset_logistic(
    chosen: PerPair,
    rejected: PerPair,
    chosen_offset: PerPair,
    rejected_offset: PerPair,
    *,
    beta: float = 0.1,
    weight: float = 0.1,
) -> PerPair:
    """-log σ(β (chosen - rejected) - λ (difference of the offsets)), λ = weight"""
    return softplus(weight * (chosen_offset - rejected_offset) - beta * (chosen - rejected))


def margin_logistic(
    chosen: PerPair, rejected: PerPair, chosen_margin: PerPair, *, beta: float = 0.1, weight: float = 1.0
) -> PerPair:
    """-log σ(β (chosen - rejected) - λβ margin), λ = weight"""
    return softplus(-beta * (chosen - rejected - weight * chosen_margin))


def kept_logistic(chosen: PerPair, rejected: PerPair, kept: PerPair, beta: Scalar) -> PerPair:
    """-kept log σ(β (chosen - rejected)), β a tensor"""
    return kept * softplus(-beta * (chosen - rejected))


def times_weight(loss: PerPair, pair_weight: PerPair) -> PerPair:
    """w L"""
    return pair_weight * loss


def noise_contrast(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1) -> PerPair:
    """-log σ(r_w) - ½ log σ(-r_w) - ½ log σ(-r_l), r = β score"""
    good, bad = beta * chosen, beta * rejected
    return softplus(-good) + (softplus(good) + softplus(bad)) / 2


def anchored(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1) -> PerPair:
    """1 - σ(β chosen) + σ(β rejected)"""
    return (-beta * chosen).sigmoid() + (beta * rejected).sigmoid()


def anchored_down(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1) -> PerPair:
    """σ(β chosen) + 1 - σ(β (chosen - rejected))"""
    return (beta * chosen).sigmoid() + (-beta * (chosen - rejected)).sigmoid()


def self_play(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1) -> PerPair:
    """(chosen - 1/(2β))² + (rejected + 1/(2β))²"""
    return (chosen - 1 / (2 * beta)) ** 2 + (rejected + 1 / (2 * beta)) ** 2


def two_classes(chosen: PerPair, rejected: PerPair, shift: Scalar, *, beta: float = 0.1) -> PerPair:
    """-log σ(β (chosen - δ)) - log σ(-β (rejected - δ)), δ = shift"""
    return softplus(-beta * (chosen - shift)) + softplus(beta * (rejected - shift))


def guarded_logistic(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, guard: float = 50.0) -> PerPair:
    """-log σ(β (chosen - rejected - λ max(0, -chosen))), λ = guard"""
    return softplus(-beta * (chosen - rejected - guard * (-chosen).clamp(min=0)))


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


def minus_first(chosen: PerPair, rejected: PerPair) -> PerPair:  # noqa: ARG001 (a link has two columns)
    """Minus the score of the preferred row: with a log-prob as the score, its negative log-likelihood."""
    return -chosen


def second(chosen: PerPair, rejected: PerPair) -> PerPair:  # noqa: ARG001 (a link has two columns)
    """The score of the rejected row."""
    return rejected


def ranked(score: Part | Function, accuracy: str, margin: str) -> dict[str, Part]:
    """Two metrics by these names: how often the preferred row scores higher, and by how much."""
    return {accuracy: pairwise(ordered, score), margin: pairwise(gap, score)}


def sides(score: Part | Function, name: str) -> dict[str, Part]:
    """Two metrics, `name`/chosen and `name`/rejected: the scores of either row."""
    return {f"{name}/chosen": pairwise(first, score), f"{name}/rejected": pairwise(second, score)}
