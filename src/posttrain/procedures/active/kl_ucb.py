"""Logarithmic Regret for Online KL-Regularized Reinforcement Learning (Zhao et al., 2025).

KL-UCB: answers that were seldom tried get a bonus, and the policy is the Gibbs policy of the reward with the bonus. The
KL makes the regret quadratic in the error of the reward, so it grows with log T where a bandit's grows with √T.

    π_{t+1} ∝ π_ref exp(η (R̂_t + b_t)),    R̂ = mean reward of the answer so far,    b = min(1, c/√n)

Prompts are the contexts and answers the arms. Each round the policy answers and is rewarded, the reference shows
answers that may be new (b = 1), and imitation/var brings the reference to the Gibbs policy over all of them. Rewards
are in [0, 1]. Settings: η (`eta`; 1/η is the β of the KL), c (`width`), `unseen` answers of the reference to a prompt.
The paper's function class is the table of answers here: the policy is what generalises.
"""

from __future__ import annotations

from posttrain.core.method import Sampling
from posttrain.data.dataset import Dataset
from posttrain.records import Rollout
from posttrain.selection.answers import dataset
from posttrain.selection.bandit_arms import arms
from posttrain.selection.prompts import part_of
from posttrain.training.session import NONE, Options, Session


def kl_ucb(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 5,
    prompts_per_round: int | None = None,
    eta: float = 5.0,
    width: float = 0.5,
    unseen: int = 1,
    fit: Options = NONE,
) -> dict[str, float]:
    """Rounds of: rewarded answers of the policy, and some of the reference -> Gibbs policy of optimistic rewards."""
    metrics: dict[str, float] = {}
    seen: list[Rollout] = []
    session.copy("policy", "reference")
    shown = Sampling(samples=unseen, mix=(("reference", 1.0),))
    settings = {"temperature": 1 / eta, **fit.get("settings", {})}
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        seen += session.collect(f"round-{n}", asked, session.how())
        if unseen:
            seen += session.collect(f"round-{n}-unseen", asked, shown, rewards=())
        session.copy("reference", "policy")
        learnt = dataset(arms(seen, width), f"round {n}")
        metrics = session.train("imitation/var", learnt, rewards=(), **{**fit, "settings": settings})
    return metrics
