"""Links with a target for the gap of two scores, for each score, or for the preference: one loss per pair [N]."""

from __future__ import annotations

import math
from typing import Literal

from torch.nn.functional import softplus

from posttrain.core.maths.divergence import bernoulli_kl
from posttrain.core.parts import PerPair, Scalar


def squared(chosen: PerPair, rejected: PerPair, *, tau: float = 0.1) -> PerPair:
    """Squared distance of the gap from a finite target.

        (chosen - rejected - 1/(2τ))²

    Settings:
        tau: τ, pull towards the reference, larger stays closer; above 0, 0.01 to 1 is usual.
    """
    return (chosen - rejected - 1 / (2 * tau)) ** 2


def margin_squared(
    chosen: PerPair, rejected: PerPair, chosen_margin: PerPair, *, tau: float = 0.1, weight: float = 0.1
) -> PerPair:
    """Squared distance of the gap from a finite target, which lies further by a share of a margin of each pair.

        (chosen - rejected - λ margin - 1/(2τ))²

    Settings:
        tau: τ, pull towards the reference, larger stays closer; above 0, 0.01 to 1 is usual.
        weight: λ, share of the margin that is demanded; 0 is IPO, 0.1 to 1 demands more.
    """
    return (chosen - rejected - weight * chosen_margin - 1 / (2 * tau)) ** 2


def self_play(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1) -> PerPair:
    """Squared distances of both scores from their own targets.

        (chosen - 1/(2β))² + (rejected + 1/(2β))²

    Settings:
        beta: pull towards the reference, larger stays closer; 0.001 (the paper) to 0.5, with targets ±1/(2β).
    """
    return (chosen - 1 / (2 * beta)) ** 2 + (rejected + 1 / (2 * beta)) ** 2


def safety_target(
    chosen: PerPair,
    rejected: PerPair,
    chosen_safe: PerPair,
    rejected_safe: PerPair,
    *,
    tau: float = 0.01,
    alpha: float = 0.5,
) -> PerPair:
    """Squared distance of the gap from a target set by the safety of both answers.

        (chosen - rejected - (3/2 I_w - 1/2 I_l - α)/τ)²,    I = 1 for a safe answer, else 0

    Settings:
        tau: τ, pull towards the reference, larger stays closer; above 0, 0.01 to 1 is usual.
        alpha: α, shift of every target by -α/τ; 0 to 1, 0.5 in the paper, which gives two safe answers IPO's target.
    """
    return (chosen - rejected - (1.5 * chosen_safe - 0.5 * rejected_safe - alpha) / tau) ** 2


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
    """Distance between the gap of the implicit rewards and that of explicit ones.

        KL(σ(b) || σ(a)), KL(σ(a) || σ(b)) or (a - b)²
        a = β (chosen - rejected),    b = η (chosen_reward - rejected_reward)

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        eta: η, scale of the explicit rewards; above 0, where 1 takes them as log-odds.
        distance: name of the distance, in that order: backward, forward or squared.
    """
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
    """Cross-entropy of the policy's preference with a soft label, the sigmoid of a gap of rewards.

        -p log σ(z) - (1-p) log σ(-z),    z = η (chosen - rejected),    p = σ(chosen_reward - rejected_reward)

    Settings:
        eta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
    """
    z, label = eta * (chosen - rejected), (chosen_reward - rejected_reward).sigmoid()
    return label * softplus(-z) + (1 - label) * softplus(z)


def reverse_kl(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1, smoothing: float = 1e-3) -> PerPair:
    """Reverse KL from the policy's preference q to the smoothed label p.

        KL(q || p),    q = (σ(z), σ(-z)),    p = (1-ε, ε),    z = β (chosen - rejected)

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
        smoothing: ε, the share of labels that are wrong; above 0 and below 0.5, 1e-3 in the paper.
    """
    z = beta * (chosen - rejected)
    kept, lost = math.log1p(-smoothing), math.log(smoothing)
    return z.sigmoid() * (-softplus(-z) - kept) + (-z).sigmoid() * (-softplus(z) - lost)


def noise_contrast(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1) -> PerPair:
    """Loss of telling each answer apart from a sample of the reference.

        -log σ(r_w) - ½ log σ(-r_w) - ½ log σ(-r_l),    r = β score

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
    """
    good, bad = beta * chosen, beta * rejected
    return softplus(-good) + (softplus(good) + softplus(bad)) / 2


def two_classes(chosen: PerPair, rejected: PerPair, shift: Scalar, *, beta: float = 0.1) -> PerPair:
    """Loss of a classifier that tells good answers from bad ones at the threshold δ.

        -log σ(β (chosen - δ)) - log σ(-β (rejected - δ)),    δ = shift

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
    """
    return softplus(-beta * (chosen - shift)) + softplus(beta * (rejected - shift))


def anchored(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1) -> PerPair:
    """Loss that raises the preferred answer above the reference and lowers the rejected one below it.

        1 - σ(β chosen) + σ(β rejected)

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
    """
    return (-beta * chosen).sigmoid() + (beta * rejected).sigmoid()


def anchored_down(chosen: PerPair, rejected: PerPair, *, beta: float = 0.1) -> PerPair:
    """Loss that lowers the preferred answer, and the rejected one further.

        σ(β chosen) + 1 - σ(β (chosen - rejected))

    Settings:
        beta: pull towards the reference, larger stays closer; 0.01 to 0.5 on sums over tokens, else 1 to 10.
    """
    return (beta * chosen).sigmoid() + (-beta * (chosen - rejected)).sigmoid()
