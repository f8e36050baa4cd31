"""DPO Meets PPO: Reinforced Token Optimization for RLHF (Zhong et al., 2024), the pipeline.

Preferences teach a model by DPO; what it learned becomes a reward of every token, which PPO pursues from the model of
the start beside the rewards of the run.

    π_dpo = DPO(π_0)        π = RTO(π_0) with r_t = clip(β₁ log π_dpo/π_0, ±c) + [t last] R - β₂ log π_old/π_0
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.training.session import NO_OPTIONS, Options, Session


def rto(
    session: Session,
    pairs: Dataset,
    prompts: Dataset,
    *,
    dpo: Options = NO_OPTIONS,
    ppo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """DPO on pairs -> PPO from the model of the start, on the token rewards that DPO implies and those of the run.

    Settings:
        dpo: options of the DPO stage: any keys of `train`, and `settings` of its method.
        ppo: options of the stage of online/rto: any keys of `train`, and `settings` of its method.
    """
    session.copy("policy", "reference")
    session.train("preference/dpo", pairs, rewards=(), **dpo)
    session.copy("policy", "dpo")
    session.copy("reference", "policy")
    return session.train("online/rto", prompts, **ppo)
