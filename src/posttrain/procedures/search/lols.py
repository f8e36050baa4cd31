"""Learning to Generate Better Than Your LLM (Chang et al., 2023): LOLS.

In each round a coin decides who has the beginning of the answers. With probability τ it is the guide, and the policy
learns to go on (online/ppo_plus_plus). Otherwise the policy begins, and learns what the guide makes of it
(online/aggrevated). Locally optimal learning to search (Chang et al., 2015) mixes the two in this way, so that the
policy does not depend on how good the guide is.

    method of a round = PPO++ with probability τ, else AggreVaTeD

Each has a critic of its own. With `share: 0` both are PPO. The guide is `models.guide`, else the policy before the
first round.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.seeds import SEEDS
from posttrain.training.session import NO_OPTIONS, Options, Session


def lols(
    session: Session,
    prompts: Dataset,
    *,
    rounds: int = 10,
    mix: float = 0.8,
    share: float = 0.8,
    ppo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Rounds of PPO++ or AggreVaTeD, as a coin falls.

    Settings:
        rounds: number of rounds; at least 1, each of the steps in `ppo`.
        mix: τ, probability that the guide begins and does not finish; 0 to 1, 0.8 in the paper.
        share: β, probability that the guide takes part in an answer; 0 to 1, 0.6 to 0.8 in the paper.
        ppo: options of every round: any keys of `train`, and `settings` of its method.
    """
    metrics: dict[str, float] = {}
    options = {**ppo, "settings": {"share": share, **ppo.get("settings", {})}}
    for n in range(1, rounds + 1):
        begins = session.seed("lols", n) < mix * SEEDS
        metrics = session.train("online/ppo_plus_plus" if begins else "online/aggrevated", prompts, **options)
    return metrics
