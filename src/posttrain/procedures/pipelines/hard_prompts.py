"""Exploring Data Scaling Trends and Effects in Reinforcement Learning from Human Feedback (Shen et al., 2025).

Pre-PPO: the prompts whose answers score lowest before the training are trained on first: there is most to learn, and
least that a flaw of the reward has paid for already.

    D_1 = the share q of the prompts of each domain with the lowest mean_k r(x, y_k)

The domain is a column. Its prompts are compared with each other alone, so that units of rewards do not matter.
The paper's hybrid reward, a verifier where there is an answer to verify and a generative reward model elsewhere, is
`scoring: {combine: first}`.
"""

from __future__ import annotations

from posttrain.data.dataset import Dataset
from posttrain.selection.answers import dataset
from posttrain.selection.prompts import hardest
from posttrain.training.session import NO_OPTIONS, Options, Session


def hard_prompts(
    session: Session,
    prompts: Dataset,
    *,
    share: float = 0.3,
    domain: str = "domain",
    method: str = "online/grpo",
    first: Options = NO_OPTIONS,
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Score answers to all prompts -> train on the hardest of each domain -> train on all.

    Settings:
        share: q, part of the prompts of a domain that are trained on first; above 0 and at most 1, which selects none.
        domain: name of the column that holds the domain of a prompt; prompts without it are one domain.
        method: name of the method of both stages; any that samples answers, such as online/ppo.
        first: options of the stage on the hardest prompts: any keys of `train`, and `settings` of its method.
        then: options of the stage on all prompts: likewise.
    """
    answers = session.collect("before", prompts, session.sampling(samples=4))
    chosen = hardest(prompts, answers, share, domain)
    session.note(f"{len(chosen)} of {len(prompts)} prompts come first")
    session.train(method, dataset(chosen, "hardest prompts"), **first)
    return session.train(method, prompts, **then)
