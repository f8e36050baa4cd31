"""Bayesian Reward Models for LLM Alignment (Yang et al., 2024), on the last layer.

A reward model that knows how far an answer is from what it has learned: the posterior of its head is close to a
Gaussian around the trained one (Laplace's approximation), whose precision is the curvature of the loss there.

    P = λ I + Σ_n p_n (1 - p_n) δ_n δ_n',    δ_n = e(x, y_w) - e(x, y_l),    r(x, y) ~ N(φ̂·e, e' P⁻¹ e)

The paper's posterior is over all LoRA weights, through Jacobians of the score; the last layer is exact Bayesian
logistic regression, at the cost of one matrix. AdvPO (Zhang et al., 2024) leaves out p (1 - p): `curved: false`.
`models.reward.ensemble: {by: posterior, weight: k}` reads the mean less k deviations, online/advpo the worst case.
"""

from __future__ import annotations

import torch

from posttrain.core.parts import pairwise
from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.pairs import gap
from posttrain.formulas.losses.scores import row_score
from posttrain.training.session import NO_OPTIONS, Options, Session


def laplace(
    session: Session,
    pairs: Dataset,
    *,
    ridge: float = 1.0,
    curved: bool = True,
    method: str = "reward/bradley_terry",
    reward: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Train a reward model -> embed the pairs -> add the head `doubt`, which whitens states by the precision.

    Settings:
        ridge: λ, precision of the prior of each weight; above 0, where less doubts more of what was never seen.
        curved: whether pairs count by p (1 - p), as Laplace's approximation says, or all alike, as in AdvPO.
        method: name of the method that trains the reward model; any of the family reward with one score.
        reward: options of its stage: any keys of `train`, and `settings` of its method.
    """
    metrics = session.train(method, pairs, rewards=(), **reward)
    states = torch.tensor(session.embed("states", pairs, role="reward"), dtype=torch.float64)
    differences = states[::2] - states[1::2]
    p = torch.tensor(session.measure("gaps", pairs, pairwise(gap, row_score)), dtype=torch.float64).sigmoid()
    weights = p * (1 - p) if curved else torch.ones_like(p)
    precision = ridge * torch.eye(states.shape[1], dtype=torch.float64)
    precision = precision + differences.T @ (weights[:, None] * differences)
    session.set_head("reward", "doubt", torch.linalg.inv(torch.linalg.cholesky(precision)))
    return metrics
