"""Logarithmic Regret for Online KL-Regularized Reinforcement Learning (Zhao et al., 2025).

KL-UCB: answers that were seldom tried get a bonus, and the policy is the Gibbs policy of the reward plus the bonus. The
KL makes the regret quadratic in the error of the reward, so that it grows with log T where a bandit's grows with √T.

    π_{t+1} ∝ π_ref exp(η (R̂_t + b_t)),    R̂ = mean reward of the answer so far,    b = min(1, c/√n)

Prompts are the contexts and answers the arms. In each round the policy answers and is rewarded, the reference adds
answers that may be new (b = 1), and imitation/var brings the reference to the Gibbs policy over all of them. Rewards
lie in [0, 1]. The paper has a class of functions where this has a table of answers: the policy is what generalises.
"""

from __future__ import annotations

from posttrain.core.method import Sampling
from posttrain.data.dataset import Dataset
from posttrain.records import Episode
from posttrain.selection.answers import dataset
from posttrain.selection.bandit_arms import arms
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session


def kl_ucb(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 5,
    prompts_per_round: int | None = None,
    eta: float = 5.0,
    width: float = 0.5,
    unseen: int = 1,
    fit: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of: rewarded answers of the policy, and some of the reference -> Gibbs policy of optimistic rewards.

    Settings:
        rounds: number of rounds; at least 1.
        prompts_per_round: prompts of a round, taken in turn; at least 1, null takes all of them in every round.
        eta: η, one over the β of the KL; above 0, larger follows the rewards further from the reference.
        width: c, scale of the bonus c/√n of an answer tried n times, at most 1; 0 (no bonus) or more.
        unseen: answers of the reference to each prompt of a round; 0 or more.
        fit: options of every stage of imitation/var: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    seen: list[Episode] = []
    session.copy("policy", "reference")
    shown = Sampling(samples=unseen, mix=(("reference", 1.0),))
    settings = {"temperature": 1 / eta, **fit.get("settings", {})}
    for n in range(1, rounds + 1):
        asked = part_of(prompts, n - 1, prompts_per_round)
        seen += session.collect(f"round-{n}", asked, session.sampling())
        if unseen:
            seen += session.collect(f"round-{n}-unseen", asked, shown, rewards=())
        session.copy("reference", "policy")
        rankings = dataset(arms(seen, width), f"round {n}")
        metrics = session.train("imitation/var", rankings, rewards=(), **{**fit, "settings": settings})
    return metrics
