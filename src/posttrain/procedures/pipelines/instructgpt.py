"""Training language models to follow instructions with human feedback (Ouyang et al., 2022).

The classic pipeline: demonstrations teach the policy to answer, comparisons of answers teach a reward model, and
PPO pursues that reward while the KL keeps the policy near the one that the demonstrations made.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.training.session import NONE, Options, Session


def instructgpt(
    session: Session,
    demonstrations: Dataset,
    pairs: Dataset,
    prompts: Dataset,
    *,
    sft: Options = NONE,
    reward: Options = NONE,
    ppo: Options = NONE,
) -> dict[str, float]:
    """Demonstrations -> SFT -> reward model on pairs, grown from the SFT model -> PPO against it."""
    session.train("imitation/sft", demonstrations, rewards=(), **sft)
    session.copy("policy", "reference")
    session.copy("policy", "reward")
    session.train("reward/bradley_terry", pairs, rewards=(), **reward)
    session.copy("reward", "critic")
    return session.train("online/ppo", prompts, rewards=(), **ppo)
