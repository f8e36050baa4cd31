"""Balancing Enhancement, Harmlessness, and General Capabilities: Enhancing Conversational LLMs with Direct RLHF
(Zheng et al., 2024), Mistral-Plus.

RLHF without SFT: SFT makes a model forget what its pretraining taught it, so PPO starts from the base model itself, and
the KL holds it there. What it knows of other tasks is measured before and after.

    π_0 = π_ref = base,   r = reward model from the base model,   change = mean log π(y|x)/|y| after - before

Differs from pipelines/instructgpt in the stage of SFT, and in the measurement. The paper's is accuracy in benchmarks of
knowledge and reasoning; answers that a model need not write well to know are measured by their likelihood here.
"""

from __future__ import annotations

from statistics import fmean

from posttrain.data.dataset import Dataset
from posttrain.formulas.losses.scores import mean_logp
from posttrain.training.session import NO_OPTIONS, Options, Session


def direct_rlhf(
    session: Session,
    pairs: Dataset,
    prompts: Dataset,
    demonstrations: Dataset | None = None,
    *,
    reward: Options = NO_OPTIONS,
    ppo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Reward model on pairs, initialised from the base model -> PPO of the base model against it, without SFT.

    The demonstrations are right answers of other tasks: their likelihood is measured, and nothing is trained on them.

    Settings:
        reward: options of the stage of the reward model: any keys of `train`, and `settings` of its method.
        ppo: options of the PPO stage: any keys of `train`, and `settings` of its method.
    """
    before = [] if demonstrations is None else session.measure("capabilities-before", demonstrations, mean_logp)
    session.copy("policy", "reference")
    session.copy("policy", "reward")
    session.train("reward/bradley_terry", pairs, rewards=(), **reward)
    session.copy("reward", "critic")
    metrics = session.train("online/ppo", prompts, rewards=(), **ppo)
    if demonstrations is None:
        return metrics
    was, now = fmean(before), fmean(session.measure("capabilities-after", demonstrations, mean_logp))
    session.note(f"other tasks: log-likelihood of a token {was:.4g} before RLHF, {now:.4g} after it")
    session.artefact("capabilities", {"before": was, "after": now, "change": now - was})
    return metrics | {"capabilities/change": now - was}
