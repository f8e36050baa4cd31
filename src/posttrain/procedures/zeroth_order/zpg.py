"""Zeroth-Order Policy Gradient for Reinforcement Learning from Human Feedback without Reward Inference
(Zhang and Ying, 2024).

ZPG: move the policy a little in a random direction, let people compare its answers with those of the policy itself,
turn the share of votes into a difference of values, and step along the direction by it. Neither a reward model nor a
gradient of the policy is needed, only the link σ.

    p̂_n = share that prefers y_n ~ π(θ + μ v) to y'_n ~ π(θ)    D̂ = mean_n σ^{-1}(p̂_n)    θ ← θ + α D̂/μ v

v is uniform on a sphere. With `coordinates` K it is ZBCPG: K random parameters move, by random signs. Both have
E[v vᵀ] = 1 here, so D̂/μ v is the gradient on average. μ is the typical move of one parameter, where the paper's v has
length one (its μ is ours times the root of the number of parameters) or one per coordinate. The reward must be a
preference, as for online/nash_md.
"""

from __future__ import annotations

from statistics import fmean
from typing import Literal

from posttrain.data.dataset import Dataset
from posttrain.selection.directions import value_difference
from posttrain.selection.prompts import part_of
from posttrain.training.session import Session


def zpg(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 100,
    prompts_per_round: int | None = None,
    directions: int = 1,
    coordinates: int | None = None,
    smoothing: float = 1e-3,
    rate: float = 1e-6,
    clip: float = 0.05,
) -> dict[str, float]:
    """Rounds of: the moved policy against the policy -> value of the move -> a step along it.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        directions: random directions of a round whose steps are averaged; at least 1.
        coordinates: K, random parameters that move together (ZBCPG); at least 1, null moves all (ZPG).
        smoothing: μ, typical move of a parameter; above 0, far below the parameters themselves.
        rate: α, step size; above 0.
        clip: δ, where shares of votes are cut to δ and 1 - δ; above 0 and below 0.5.
    """
    metrics: dict[str, float] = {}
    shape: Literal["sphere"] | int = coordinates or "sphere"
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        gains = {}
        for name in (f"{n}-{i}" for i in range(1, directions + 1)):
            session.move("policy", "moved", {name: smoothing}, shape)
            answers = session.collect(
                f"round-{name}", asked, session.sampling(mix=(("moved", 1.0),)), session.sampling()
            )
            gains[name] = value_difference(answers, clip)
        lengths = {name: rate * gain / smoothing / directions for name, gain in gains.items()}
        session.move("policy", "policy", lengths, shape)
        metrics = {"gain": fmean(gains.values()), "step_length": fmean(abs(x) for x in lengths.values())}
        session.advance(n, rounds, metrics)
    return metrics
