"""Links by the gap of a preferred and a rejected score: one loss per pair [N]. The metrics of pairs are here too."""

from __future__ import annotations

import math
from typing import Literal

from torch.nn.functional import softplus

from posttrain.core.maths.divergence import bounded_exp, logit_of_entropy
from posttrain.core.parts import Function, Part, PerPair, Scalar, pairwise


def logistic(
    chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, margin: float = 0.0, smoothing: float = 0.0
) -> PerPair:
    """Logistic loss of a pair, with a margin and smoothed labels.

        -(1-ε) log σ(z) - ε log σ(-z),    z = β (chosen - rejected) - margin

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        margin: gap in log-odds that a pair must exceed; 0 is DPO, 0.5 to 2 demands more.
        smoothing: ε, the share of labels that are wrong; 0 up to but not including 0.5, 0.1 is usual.
    """
    z = beta * (chosen - rejected) - margin
    return (1 - smoothing) * softplus(-z) + smoothing * softplus(z)


def debiased_logistic(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, smoothing: float = 0.1) -> PerPair:
    """Logistic loss whose mean over randomly flipped labels is the loss on clean labels.

        [-(1-ε) log σ(z) + ε log σ(-z)] / (1 - 2ε),    z = β (chosen - rejected)

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        smoothing: ε, the share of labels that are wrong; 0 up to but not including 0.5, 0.1 is usual.
    """
    z = beta * (chosen - rejected)
    return ((1 - smoothing) * softplus(-z) - smoothing * softplus(z)) / (1 - 2 * smoothing)


def hinge(chosen: PerPair, rejected: PerPair, *, beta: float = 1.0, delta: float = 1.0) -> PerPair:
    """Hinge loss of a pair: zero once the gap is large enough.

        max(0, δ - β (chosen - rejected))

    Settings:
        beta: scale of the gap; above 0, where 1 measures delta in units of the score.
        delta: δ, gap beyond which a pair teaches nothing; above 0, usually 1.
    """
    return (delta - beta * (chosen - rejected)).clamp(min=0)


def convex(
    chosen: PerPair,
    rejected: PerPair,
    *,
    beta: float = 0.1,
    shape: Literal["logistic", "hinge", "squared", "exponential", "truncated_square", "savage"] = "exponential",
) -> PerPair:
    """Loss f of the scaled gap, with f chosen by name.

        f(β (chosen - rejected)),    f(z) = log(1+e⁻ᶻ), max(0, 1-z), (z-1)², e⁻ᶻ, max(0, 1-z)² or 1/(1+eᶻ)²

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        shape: name of f, in that order: logistic, hinge, squared, exponential, truncated_square or savage.
    """
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
    """Logistic loss where the pair is in the wrong order, exponential where it is in the right one.

        (1 - σ(z/τ)) log(1 + e⁻ᶻ) + σ(z/τ) e⁻ᶻ,    z = β (chosen - rejected)

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        tau: τ, width of the blend in units of z; above 0, 0.05 in the paper, smaller switches faster.
    """
    z = beta * (chosen - rejected)
    share = (z / tau).sigmoid()
    return (1 - share) * softplus(-z) + share * bounded_exp(-z)


def biased_logistic(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, bias: float = 0.5) -> PerPair:
    """Logistic loss that discounts the rejected score, so that low scores of both answers cost too.

        -log [e^{β chosen} / (e^{β chosen} + e^{λ β rejected})]

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        bias: λ, weight of the rejected score; above 0 and at most 1 (no bias), 0.5 to 0.75 in the paper.
    """
    return softplus(beta * (bias * rejected - chosen))


def weighted_logistic(
    chosen: PerPair, rejected: PerPair, chosen_weight: PerPair, rejected_weight: PerPair, *, beta: float = 0.1
) -> PerPair:
    """Logistic loss of a pair, weighted by both answers. No gradient flows through the weights.

        -min(1, w_w w_l) log σ(β (chosen - rejected))

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
    """
    weight = (chosen_weight * rejected_weight).detach().clamp(max=1)
    return weight * softplus(-beta * (chosen - rejected))


def scaled_logistic(
    chosen: PerPair,
    rejected: PerPair,
    *,
    beta: float = 0.1,
    rho: float = 0.1,
    smallest: float = 0.1,
    largest: float = 5.0,
) -> PerPair:
    """Logistic loss of a pair at a temperature of its own, the one that minimises the loss.

        min over τ in [smallest, largest] of  -τ log σ(Δ/τ) + (ρ - log 2) τ,    Δ = β (chosen - rejected)

    The minimum is at τ = |Δ|/c with H(σ(c)) = log 2 - ρ, clipped to the interval. No gradient flows through τ.

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        rho: ρ, radius of the robust problem; above 0 and below log 2 = 0.693, 0.1 to begin with.
        smallest: lower bound of τ; above 0, 0.1 in the paper.
        largest: upper bound of τ; at least `smallest`, 5 in the paper.
    """
    delta = beta * (chosen - rejected)
    tau = (delta.detach().abs() / logit_of_entropy(math.log(2) - rho)).clamp(smallest, largest)
    return tau * softplus(-delta / tau) + (rho - math.log(2)) * tau


def sequential_kl(
    chosen: PerPair, rejected: PerPair, chosen_kl: PerPair, rejected_kl: PerPair, *, beta: float = 0.1
) -> PerPair:
    """Logistic loss of the gap less the difference of the KLs along the two answers.

        -log σ(β (chosen - rejected) - β (D_l - D_w)),    D = forward KL summed over an answer

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
    """
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
    """Logistic loss of the gap less the difference of the KLs, with a gradient through D_l alone.

        -log σ(β (chosen - rejected) - αβ (D_l - sg D_w)),    D = forward KL summed over an answer

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        alpha: α, weight of the KL difference; 0 (DPO) to 1, 0.5 in the paper.
    """
    return softplus(-beta * (chosen - rejected - alpha * (rejected_kl - chosen_kl.detach())))


def offset_logistic(
    chosen: PerPair,
    rejected: PerPair,
    chosen_offset: PerPair,
    rejected_offset: PerPair,
    *,
    beta: float = 0.1,
    weight: float = 0.1,
) -> PerPair:
    """Logistic loss of a gap that must exceed a share of the gap of two offsets.

        -log σ(β (chosen - rejected) - λ (chosen_offset - rejected_offset))

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        weight: λ, what a unit of the offsets' gap demands; 0 is DPO, 0.01 to 0.1 is 0.1 to 1 times a β of 0.1.
    """
    return softplus(weight * (chosen_offset - rejected_offset) - beta * (chosen - rejected))


def margin_logistic(
    chosen: PerPair, rejected: PerPair, chosen_margin: PerPair, *, beta: float = 0.1, weight: float = 1.0
) -> PerPair:
    """Logistic loss of a gap that must exceed a share of a margin given for each pair.

        -log σ(β (chosen - rejected) - λβ margin)

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        weight: λ, share of the margin that is demanded; 0 is DPO, 0.1 to 1 demands more.
    """
    return softplus(-beta * (chosen - rejected - weight * chosen_margin))


def kept_logistic(chosen: PerPair, rejected: PerPair, kept: PerPair, beta: Scalar) -> PerPair:
    """Logistic loss of the pairs that are kept, at a β that is a tensor.

    -kept log σ(β (chosen - rejected))
    """
    return kept * softplus(-beta * (chosen - rejected))


def times_weight(loss: PerPair, pair_weight: PerPair) -> PerPair:
    """Loss of a pair times the weight of the pair: w L."""
    return pair_weight * loss


def guarded_logistic(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, guard: float = 50.0) -> PerPair:
    """Logistic loss that charges for a preferred answer less likely than under the reference.

        -log σ(β (chosen - rejected - λ max(0, -chosen)))

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        guard: λ, charge for a preferred answer that loses probability; 0 is DPO, 50 in the paper.
    """
    return softplus(-beta * (chosen - rejected - guard * (-chosen).clamp(min=0)))


def gap(chosen: PerPair, rejected: PerPair) -> PerPair:
    """Gap of the two scores: chosen - rejected."""
    return chosen - rejected


def ordered(chosen: PerPair, rejected: PerPair) -> PerPair:
    """Whether the preferred row scores higher: 1, 0, or 0.5 for a tie. The mean is the accuracy."""
    return (chosen > rejected).to(chosen.dtype) + 0.5 * (chosen == rejected).to(chosen.dtype)


def first(chosen: PerPair, rejected: PerPair) -> PerPair:  # noqa: ARG001 (a link has two columns)
    """Score of the preferred row."""
    return chosen


def minus_first(chosen: PerPair, rejected: PerPair) -> PerPair:  # noqa: ARG001 (a link has two columns)
    """Minus the score of the preferred row: with a log-prob as the score, its negative log-likelihood."""
    return -chosen


def second(chosen: PerPair, rejected: PerPair) -> PerPair:  # noqa: ARG001 (a link has two columns)
    """Score of the rejected row."""
    return rejected


def ranked(score: Part | Function, accuracy: str, margin: str) -> dict[str, Part]:
    """Return two metrics by these names: how often the preferred row scores higher, and by how much."""
    return {accuracy: pairwise(ordered, score), margin: pairwise(gap, score)}


def sides(score: Part | Function, name: str) -> dict[str, Part]:
    """Return two metrics, `name`/chosen and `name`/rejected: the score of each row."""
    return {f"{name}/chosen": pairwise(first, score), f"{name}/rejected": pairwise(second, score)}
