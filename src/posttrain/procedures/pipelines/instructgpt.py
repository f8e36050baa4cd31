"""Training language models to follow instructions with human feedback (Ouyang et al., 2022).

The classic pipeline: demonstrations teach the policy to answer, comparisons of answers teach a reward model, and
PPO pursues that reward while the KL keeps the policy near the SFT model.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.training.session import NO_OPTIONS, Options, Session


def instructgpt(
    session: Session,
    demonstrations: Dataset,
    pairs: Dataset,
    prompts: Dataset,
    *,
    sft: Options = NO_OPTIONS,
    reward: Options = NO_OPTIONS,
    ppo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Demonstrations -> SFT -> reward model on pairs, initialised from the SFT model -> PPO against it.

    Settings:
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
        reward: options of the stage of the reward model: any keys of `train`, and `settings` of its method.
        ppo: options of the PPO stage: any keys of `train`, and `settings` of its method.
    """
    session.train("imitation/sft", demonstrations, rewards=(), **sft)
    session.copy("policy", "reference")
    session.copy("policy", "reward")
    session.train("reward/bradley_terry", pairs, rewards=(), **reward)
    session.copy("reward", "critic")
    return session.train("online/ppo", prompts, rewards=(), **ppo)
