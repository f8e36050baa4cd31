"""Learning to Generate Better Than Your LLM (Chang et al., 2023): D2LOLS.

First the guide finishes what the policy begins, until the policy is a step better than the guide (online/aggrevated).
Then the guide begins and the policy finishes, so that it improves beyond one step (online/ppo_plus_plus).

    AggreVaTeD while step <= `aggrevated.steps`, then PPO++

With `share: 0` both are PPO. The guide is `models.guide`, else the policy before the first step. The paper changes over
after 20 to 200 iterations.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.training.session import NO_OPTIONS, Options, Session


def d2lols(
    session: Session,
    prompts: Dataset,
    *,
    share: float = 0.8,
    aggrevated: Options = NO_OPTIONS,
    ppo_plus_plus: Options = NO_OPTIONS,
) -> dict[str, float]:
    """AggreVaTeD, then PPO++.

    Settings:
        share: β, probability that the guide takes part in an answer; 0 to 1, 0.6 to 0.8 in the paper.
        aggrevated: options of the first stage: any keys of `train`, and `settings` of its method.
        ppo_plus_plus: options of the second stage: any keys of `train`, and `settings` of its method.
    """
    for method, options in (("online/aggrevated", aggrevated), ("online/ppo_plus_plus", ppo_plus_plus)):
        settings = {"share": share, **options.get("settings", {})}
        metrics = session.train(method, prompts, **{**options, "settings": settings})
    return metrics
