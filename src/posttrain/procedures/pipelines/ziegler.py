"""Fine-Tuning Language Models from Human Preferences (Ziegler et al., 2019).

The first recipe of RLHF on language models: people pick the best of four answers of the policy, a reward model learns
their choices, its scores are brought to mean 0 and variance 1 on answers of the policy, and PPO pursues them with a KL
coefficient that a controller steers to a target.

    L_r = -log [e^{r_best} / Σ_j e^{r_j}],    R = (r - μ)/s - β log π/ρ

The first answer of each ranking is the one that was picked; the order of the others does not count. Differs from the
paper: all choices are made before the training, and the critic is a model of its own, which begins as the reward model.
"""

from __future__ import annotations

from statistics import fmean, pstdev

from posttrain.core.method import variant
from posttrain.core.parts import part
from posttrain.data.dataset import Dataset
from posttrain.formulas.credit.scaling import standardised
from posttrain.formulas.credit.shaping import reward_minus_kl
from posttrain.formulas.losses.scores import row_score
from posttrain.methods.online.ppo_adaptive_kl import METHOD as PPO
from posttrain.selection.prompts import part_of
from posttrain.training.session import NO_OPTIONS, Options, Session

ZIEGLER_PPO = variant(
    PPO, name="ziegler_ppo", derived=PPO.derived | {"token_reward": part(reward_minus_kl, reward=standardised)}
)


def ziegler(
    session: Session,
    rankings: Dataset,
    prompts: Dataset,
    *,
    normalise: int = 256,
    samples: int = 1,
    reward: Options = NO_OPTIONS,
    ppo: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Reward model on the best of several answers -> its mean and deviation on the policy's answers -> PPO against it.

    Settings:
        normalise: number of prompts on whose answers the scores are brought to mean 0 and variance 1; at least 1.
        samples: answers to each of them; at least 1.
        reward: options of the stage of the reward model: any keys of `train`, and `settings` of its method.
        ppo: options of the PPO stage: any keys of `train`, and `settings` of its method (`target`, `horizon`, ...).
    """
    session.copy("policy", "reference")
    session.copy("policy", "reward")
    session.train("reward/choice", rankings, rewards=(), **reward)
    answers = session.collect(
        "normalisation", part_of(prompts, 0, normalise), session.sampling(samples=samples), rewards=row_score
    )
    scores = [e.reward for e in answers if e.reward is not None]
    mean, deviation = fmean(scores), pstdev(scores)
    session.note(
        f"scores of the policy's answers: mean {mean:.3g}, standard deviation {deviation:.3g}; PPO sees them as 0 and 1"
    )
    units = {"standardised.mean": mean, "standardised.deviation": deviation or 1.0}
    return session.train(ZIEGLER_PPO, prompts, rewards=(), **{**ppo, "settings": {**units, **ppo.get("settings", {})}})
