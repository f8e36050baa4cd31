"""Zeroth-Order Optimization Meets Human Feedback: Provable Learning via Ranking Oracles (Tang et al., 2023).

ZO-RankSGD: move the policy a little in m random directions, rank the best k of the moved policies, and step along what
the better ones have in common. No gradient and no number is needed, only the order.

    θ ← θ + α/|E| Σ_{i better than j} (ξ_i - ξ_j),    ξ ~ N(0, 1),    i ranked by the answers of θ + μ ξ_i

Policies are ranked by the mean reward of their answers, whatever its scale. With m = 2 and k = 1 only the better of the
two counts. The paper's line search is left out.
"""

from __future__ import annotations

from statistics import fmean

from posttrain.data.dataset import Dataset
from posttrain.selection.directions import rank_weights
from posttrain.selection.prompts import part_of
from posttrain.training.evaluation import Evaluation
from posttrain.training.session import Session


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
    """Rounds of: answers of every moved policy -> rank them -> one step of the policy.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        directions: m, moved policies of a round; at least 2, 6 to 10 in the paper.
        ranked: k, best policies that are ranked among themselves; 1 to m, 3 in the paper.
        smoothing: μ, typical move of a parameter; above 0, far below the parameters themselves.
        rate: α, step size; above 0.
    """
    metrics: dict[str, float] = {}
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        names = [f"{n}-{i}" for i in range(1, directions + 1)]
        earned = []
        for name in names:
            session.move("policy", "moved", {name: smoothing})
            answers = session.collect(f"round-{name}", asked, session.sampling(mix=(("moved", 1.0),)))
            earned.append(Evaluation.of(answers).reward)
        weights = rank_weights(earned, ranked)
        session.move("policy", "policy", {x: rate * w for x, w in zip(names, weights, strict=True)})
        metrics = {"reward": fmean(earned), "reward_best": max(earned)}
        session.advance(n, rounds, metrics)
    return metrics
