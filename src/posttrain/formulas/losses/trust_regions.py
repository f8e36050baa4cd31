"""Other ways than PPO's clip to stop a policy from moving too far: soft gates, weights that are truncated or reshaped,
and masks by the divergence of a token's probability.
"""

from __future__ import annotations

from typing import Literal

import torch

from posttrain.core.maths.divergence import LARGEST_EXPONENT, bounded_exp
from posttrain.core.parts import PerToken
from posttrain.core.rows import Rows
from posttrain.formulas.losses.policy_gradient import clipped_surrogate

TINY = 1e-8  # keeps the logarithm of 1 - π finite


def truncated_reinforce(advantage: PerToken, ratio: PerToken, logp: PerToken, *, cap: float = 5.0) -> PerToken:
    """REINFORCE loss of a token, weighted by a truncated ratio that carries no gradient.

        -sg(min(ρ_t, c)) A_t log π(y_t)

    No token loses its gradient, whatever its ratio.

    Settings:
        cap: c, largest weight; at least 1, usually 5, where the peers' 1 + ε_h is 1.2 to 1.3.
    """
    return -ratio.detach().clamp(max=cap) * advantage * logp


def soft_gated(
    advantage: PerToken, ratio: PerToken, *, tau_positive: float = 1.0, tau_negative: float = 1.05
) -> PerToken:
    """Surrogate loss of a token whose ratio passes a soft gate in the place of a clip.

        -4/τ σ(τ (ρ - 1)) A

    At ρ = 1 its gradient is that of -ρ A, and it fades on both sides.

    Settings:
        tau_positive: τ where A > 0; above 0, 1 in the paper, and a larger one fades faster.
        tau_negative: τ elsewhere; above 0, 1.05 in the paper, since pushing tokens down is less stable.
    """
    tau = torch.where(advantage > 0, tau_positive, tau_negative)
    return -4 / tau * (tau * (ratio - 1)).sigmoid() * advantage


def geometric_ratio(
    logp: PerToken, old_logp: PerToken, advantage: PerToken, rows: Rows, *, low: float = 0.4, high: float = 0.4
) -> PerToken:
    """Geometric mean of the answer's clipped ratios, at every token, with the gradient of each.

        s = exp(1/|y| Σ_t c_t),   c_t = min(log ρ_t, ε_h) where A > 0, max(log ρ_t, -ε_l) elsewhere

    Settings:
        low: ε_l, a negative advantage lowers log ρ down to -ε_l; above 0, 0.4 in the paper.
        high: ε_h, a positive advantage raises log ρ up to ε_h; above 0, 0.4 in the paper.
    """
    moved = logp - old_logp
    clipped = torch.where(advantage > 0, moved.clamp(max=high), moved.clamp(min=-low))
    mean = rows.spread(rows.mean(clipped.detach()))
    return bounded_exp(mean + clipped - clipped.detach())


def gamma_weighted(
    advantage: PerToken,
    logp: PerToken,
    old_logp: PerToken,
    rows: Rows,
    *,
    k_positive: float = 2.0,
    k_negative: float = 3.0,
    lambda_positive: float = 3.0,
    lambda_negative: float = 2.0,
) -> PerToken:
    """REINFORCE loss of a token, weighted by a function of the ratio of the whole answer that carries no gradient.

        -sg(φ(w)) A log π(y_t),   φ(w) = w^k e^{λ (1 - w)},   w = π(y)/π_old(y)

    φ(1) = 1; the weight is largest at w = k/λ and vanishes on both sides.

    Settings:
        k_positive: k where A >= 0; above 0, 2 by default.
        k_negative: k elsewhere; above 0, 3 by default.
        lambda_positive: λ where A >= 0; above 0, 3 by default.
        lambda_negative: λ elsewhere; above 0, 2 by default.
    """
    log_w = rows.spread(rows.sum((logp - old_logp).detach())).clamp(max=LARGEST_EXPONENT)
    k = torch.where(advantage < 0, k_negative, k_positive)
    rate = torch.where(advantage < 0, lambda_negative, lambda_positive)
    return -(k * log_w + rate * (1 - log_w.exp())).exp() * advantage * logp


def dual_clipped_surrogate(
    advantage: PerToken, ratio: PerToken, *, low: float = 0.2, high: float = 0.2, ceiling: float = 3.0
) -> PerToken:
    """PPO's clipped loss of a token, with a bound for negative advantages too.

        min(L, -c A) where A < 0, L elsewhere,   L = -min(ρ A, clip(ρ, 1 - ε_l, 1 + ε_h) A)

    Settings:
        low: ε_l, a negative advantage lowers the ratio down to 1 - low; 0 to 1, 0.1 to 0.3 a token, 3e-4 a sequence.
        high: ε_h, a positive advantage raises the ratio up to 1 + high; above 0, 0.1 to 0.3 a token, 4e-4 a sequence.
        ceiling: c, ratio beyond which a negative advantage has no gradient; above 1 + high, usually 3.
    """
    loss = clipped_surrogate(advantage, ratio, low=low, high=high)
    return torch.where(advantage < 0, torch.minimum(loss, -ceiling * advantage), loss)


def within_divergence(
    advantage: PerToken,
    logp: PerToken,
    old_logp: PerToken,
    *,
    divergence: Literal["tv", "kl"] = "tv",
    threshold: float = 0.15,
) -> PerToken:
    """1 where a token may still move the way its advantage points, 0 where its probability has moved too far.

        D = |π - π_old|,   or   D = π_old log(π_old/π) + (1 - π_old) log((1 - π_old)/(1 - π))

    These are divergences of the distributions over two events, this token or any other.

    Settings:
        divergence: D, any of tv (total variation) and kl (Kullback-Leibler divergence).
        threshold: largest D; above 0, 0.1 to 0.2 of tv, 0.02 to 0.1 of kl.
    """
    now, old = logp.detach().clamp(max=0), old_logp.clamp(max=0)
    p, q = now.exp(), old.exp()
    distance = (p - q).abs()
    if divergence == "kl":
        distance = q * (old - now) + (1 - q) * ((1 - q).clamp(min=TINY) / (1 - p).clamp(min=TINY)).log()
    away = torch.where(advantage > 0, p > q, p < q)
    return 1 - (away & (distance > threshold)).to(logp.dtype)
