"""Training language models to follow instructions with human feedback (Ouyang et al., 2022).

The classic pipeline: demonstrations teach the policy to answer, comparisons of answers teach a reward model, and
PPO pursues that reward while the KL keeps the policy near the SFT model.

    L_r = -1/C(K,2) Σ_{i above j} log σ(r_i - r_j)        L = L_ppo - γ_ptx E_pretrain[log π(x)]

As published: `rankings` of K answers, and `text` from pretraining, which makes PPO into PPO-ptx. Pairs are K = 2;
without text it is PPO. The paper shifts the scores so that demonstrations have the mean 0. A critic that begins as the
reward model is shifted by the same constant, so no advantage changes, and neither is shifted here.
"""

from __future__ import annotations

from posttrain.core.method import MAIN
from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError
from posttrain.training.session import NO_OPTIONS, Options, Session


def instructgpt(
    session: Session,
    demonstrations: Dataset,
    prompts: Dataset,
    pairs: Dataset | None = None,
    rankings: Dataset | None = None,
    text: Dataset | None = None,
    *,
    sft: Options = NO_OPTIONS,
    reward: Options = NO_OPTIONS,
    ppo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Demonstrations -> SFT -> reward model on comparisons, initialised from the SFT model -> PPO against it.

    Settings:
        sft: options of the SFT stage: any keys of `train`, and `settings` of its method.
        reward: options of the stage of the reward model: any keys of `train`, and `settings` of its method.
        ppo: options of the PPO stage: any keys of `train`, and `settings` of its method (`pretrain.weight` is γ_ptx).
    """
    given = [d for d in (pairs, rankings) if d is not None]
    if len(given) != 1:
        raise ConfigError("data: instructgpt reads demonstrations, prompts, one of pairs and rankings, and maybe text")
    session.train("imitation/sft", demonstrations, rewards=(), **sft)
    session.copy("policy", "reference")
    session.copy("policy", "reward")
    compared = "reward/bradley_terry" if rankings is None else "reward/all_pairs"
    session.train(compared, given[0], rewards=(), **reward)
    session.copy("reward", "critic")
    if text is None:
        return session.train("online/ppo", prompts, rewards=(), **ppo)
    return session.train("online/ppo_ptx", {MAIN: prompts, "pretrain": text}, rewards=(), **ppo)
