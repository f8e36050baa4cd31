"""Coefficients that follow what they measure: (state or None at first, tensors) -> (state, value)."""

from __future__ import annotations

import math

import torch

from posttrain.core.parts import PerRow, PerToken, Scalar, State
from posttrain.core.tensors import Rows

LEAST = -700.0  # of ln λ: below it λ is 0 in floating point, and has no logarithm


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
    """β ← β (1 + clip(KL/target - 1, ±0.2) n/horizon), KL in nats per answer (Ziegler et al., 2019, sec. 2.2).

    The batch is shaped with the coefficient as it was; the state moves for the next one.
    """
    weight = start if state is None else state["weight"]
    n = int(rows.trained.sum())
    if n == 0:
        return {"weight": weight}, old_logp.new_tensor(weight)
    kl = float(rows.sum(old_logp - ref_logp)[rows.trained].mean())
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
    """β doubles when KL(π_old || π) per token exceeds 1.5 target, halves below target/1.5 (Schulman et al., 2017,
    sec. 4). Made after the passes: it judges how far they went."""
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
    """ln λ ← ln λ + rate λ J, J the moving average (decay) of mean cost + budget; λ is at most `largest`
    (Dai et al., 2024, sec. 3.2)."""
    before = start if state is None else state["lambda"]
    if not rows.trained.any():
        return state or {"lambda": before, "cost": 0.0}, cost.new_tensor(before)
    now = float(cost[rows.trained].mean()) + budget
    excess = now if state is None else decay * state["cost"] + (1 - decay) * now
    logarithm = math.log(before) + rate * before * excess
    after = math.exp(min(max(logarithm, LEAST), math.log(largest)))
    return {"lambda": after, "cost": excess}, cost.new_tensor(after)


def inverse(max_tokens: Scalar) -> Scalar:
    """1 / max_tokens, a normaliser that does not depend on what was sampled."""
    return 1.0 / torch.as_tensor(max_tokens, dtype=torch.get_default_dtype())
