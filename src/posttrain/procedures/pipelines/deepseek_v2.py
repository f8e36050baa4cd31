"""DeepSeek-V2: A Strong, Economical, and Efficient Mixture-of-Experts Language Model (DeepSeek-AI, 2024), its RL.

GRPO in two stages, since reasoning goes on improving for longer than other abilities: first reasoning, by rewards that
check it; then what people prefer, by a mixture of rewards.

    r_1 = RM_reasoning(y)        r_2 = c₁ RM_helpful(y) + c₂ RM_safety(y) + c₃ RM_rule(y)

r_1 are the rewards that `reasoning_rewards` names, r_2 all rewards of the run file; their weights are the c. Each
stage holds to the model that it begins with. The paper's reasoning reward is a model of code and mathematics; a
verifier takes its place where answers can be checked.
"""

from __future__ import annotations

from collections.abc import Mapping

from posttrain.data.dataset import Dataset
from posttrain.procedures.stage_rewards import weighted
from posttrain.training.session import NO_OPTIONS, Options, Session


def deepseek_v2(
    session: Session,
    reasoning: Dataset,
    prompts: Dataset,
    *,
    reasoning_rewards: Mapping[str, float],
    method: str = "online/grpo",
    first: Options = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """RL on `reasoning` with the rewards that check it -> RL on `prompts` with all rewards of the run file.

    Settings:
        reasoning_rewards: any {reward: weight} of the first stage, by names of the run file; others are not asked.
        method: name of the method of both stages; any that samples answers and reads rewards.
        first: options of the stage of reasoning: any keys of `train`, and `settings` of its method.
        then: options of the stage of preferences: any keys of `train`, and `settings` of its method.
    """
    checked = weighted(session, reasoning_rewards, "reasoning_rewards")
    session.copy("policy", "reference")
    session.train(method, reasoning, rewards=checked, **first)
    session.copy("policy", "reference")
    return session.train(method, prompts, **then)
