"""Zeroth-Order Optimization Meets Human Feedback: Provable Learning via Ranking Oracles (Tang et al., 2023).

ZO-RankSGD: move the policy a little in m random directions, rank the best k of the moved policies, and step along what
the better ones have in common. No gradient and no number is needed, only who is better than whom.

    θ ← θ + α/|E| Σ_{i better than j} (ξ_i - ξ_j),    ξ ~ N(0, 1),    i ranked by the answers of θ + μ ξ_i

The mean reward of a policy's answers ranks it, whatever its scale. α is `rate`, μ `smoothing`: what a parameter moves
by; m `directions`, k `ranked`. With m = 2, k = 1 only the better of two counts. The paper's line search is left out.
"""

from __future__ import annotations

from statistics import fmean

from posttrain.data.dataset import Dataset
from posttrain.selection.prompts import part_of
from posttrain.training.session import Evaluation, Session
from posttrain.training.zeroth_order import advance, move, rank_weights


def zo_ranksgd(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 100,
    prompts_per_round: int | None = None,
    directions: int = 8,
    ranked: int = 3,
    smoothing: float = 1e-3,
    rate: float = 1e-3,
) -> dict[str, float]:
    """Rounds of: answers of every moved policy -> rank them -> one step of the policy."""
    metrics: dict[str, float] = {}
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        names = [f"{n}-{i}" for i in range(1, directions + 1)]
        earned = []
        for name in names:
            move(session, "policy", "moved", {name: smoothing})
            answers = session.collect(f"round-{name}", asked, session.how(mix=(("moved", 1.0),)))
            earned.append(Evaluation.of(answers).mean)
        weights = rank_weights(earned, ranked)
        move(session, "policy", "policy", {x: rate * w for x, w in zip(names, weights, strict=True)})
        metrics = {"reward": fmean(earned), "reward_best": max(earned)}
        advance(session, n, rounds, metrics)
    return metrics
