"""Coefficients that follow what they measure: (state, or None at first, and tensors) -> (state, value)."""

from __future__ import annotations

import math

import torch

from posttrain.core.parts import PerRow, PerToken, Scalar, State
from posttrain.core.rows import Rows

LOWEST_LOG = -700.0  # of λ: below it λ underflows to 0, which has no logarithm


def adaptive_kl(
    state: State | None,
    old_logp: PerToken,
    ref_logp: PerToken,
    rows: Rows,
    *,
    start: float = 0.2,
    target: float = 6.0,
    horizon: float = 1e4,
) -> tuple[State, Scalar]:
    """KL coefficient steered to a target (Ziegler et al., 2019, sec. 2.2).

        β ← β (1 + clip(KL/target - 1, ±0.2) n/horizon),    KL in nats per answer, n answers in the batch

    The batch itself gets the coefficient from before the update.

    Settings:
        start: first coefficient; above 0, 0.2 in the paper.
        target: KL that is aimed at, in nats per answer; above 0, 6 in the paper.
        horizon: answers in which the coefficient can change by a factor of about e^0.2; above 0, 1e4 in the paper.
    """
    weight = start if state is None else state["weight"]
    n = int(rows.counted.sum())
    if n == 0:
        return {"weight": weight}, old_logp.new_tensor(weight)
    kl = float(rows.over_answer(rows.sum(old_logp - ref_logp))[rows.counted].mean())
    error = min(max(kl / target - 1, -0.2), 0.2)
    return {"weight": weight * (1 + error * n / horizon)}, old_logp.new_tensor(weight)


def doubling_kl(
    state: State | None,
    logp: PerToken,
    old_logp: PerToken,
    rows: Rows,
    *,
    start: float = 1.0,
    target: float = 0.01,
) -> tuple[State, Scalar]:
    """KL coefficient that doubles or halves after the passes (Schulman et al., 2017, sec. 4).

        β ← 2β if KL(π_old || π) > 1.5 target,    β ← β/2 if KL(π_old || π) < target/1.5

    It is derived after the passes, because it judges how far they went.

    Settings:
        start: first coefficient; above 0, usually 1.
        target: KL that is aimed at, in nats per token; above 0, 0.003 to 0.03 in the paper.
    """
    weight = start if state is None else state["weight"]
    if rows.mask.any():
        kl = float((old_logp - logp)[rows.mask].mean())
        weight = weight * 2 if kl > 1.5 * target else weight / 2 if kl < target / 1.5 else weight
    return {"weight": weight}, old_logp.new_tensor(weight)


def multiplier(
    state: State | None,
    cost: PerRow,
    rows: Rows,
    *,
    start: float = 1.0,
    rate: float = 0.04,
    budget: float = 0.0,
    decay: float = 0.9,
    largest: float = 5.0,
) -> tuple[State, Scalar]:
    """Lagrange multiplier of a cost that must not exceed a budget (Dai et al., 2024, sec. 3.2).

        ln λ ← ln λ + α λ J,    J = moving average of (mean cost + d)

    Settings:
        start: first λ; above 0 and at most `largest`, usually 1.
        rate: α, step size of ln λ; above 0, 0.04 is usual.
        budget: d, minus the mean cost that is allowed; any number, where 0 allows a mean cost of 0.
        decay: share of the moving average that a new batch leaves unchanged; 0 to 1, usually 0.9 to 0.99.
        largest: upper bound of λ; at least `start`, 5 by default.
    """
    before = start if state is None else state["lambda"]
    if not rows.trained.any():
        return state or {"lambda": before, "cost": 0.0}, cost.new_tensor(before)
    now = float(cost[rows.counted].mean()) + budget
    excess = now if state is None else decay * state["cost"] + (1 - decay) * now
    logarithm = math.log(before) + rate * before * excess
    after = math.exp(min(max(logarithm, LOWEST_LOG), math.log(largest)))
    return {"lambda": after, "cost": excess}, cost.new_tensor(after)


def adaptive_entropy(
    state: State | None,
    rollout_logp: PerToken,
    rows: Rows,
    *,
    start: float = 0.0,
    target: float = 0.2,
    delta: float = 0.005,
    largest: float = 1.0,
) -> tuple[State, Scalar]:
    """Weight of an entropy bonus that keeps the entropy at a target from below (He et al., 2025, sec. 4.3.2).

        α = c where H <= target, else 0;    c ← c + Δ where H <= target, else c - Δ

    H = mean of -log π over the sampled tokens, the entropy of the policy that sampled them. c stays between 0 and the
    largest weight.

    Settings:
        start: first c; 0 in the paper, and at most `largest`.
        target: entropy below which there is a bonus, in nats a token; above 0, 0.2 in the paper.
        delta: Δ, change of c in a batch; above 0, 0.005 in the paper.
        largest: upper bound of c; at least `start`, 1 by default.
    """
    weight = start if state is None else state["weight"]
    if not rows.mask.any():
        return {"weight": weight}, rollout_logp.new_tensor(0.0)
    low = float(-rollout_logp[rows.mask].mean()) <= target
    moved = weight + delta if low else weight - delta
    return {"weight": min(max(moved, 0.0), largest)}, rollout_logp.new_tensor(weight if low else 0.0)


def inverse(max_tokens: Scalar) -> Scalar:
    """Normaliser that does not depend on the samples: 1 / max_tokens."""
    return 1.0 / torch.as_tensor(max_tokens, dtype=torch.get_default_dtype())
