"""CodePMP: Scalable Preference Model Pretraining for Large Language Model Reasoning (Yu et al., 2024).

A reward model is pretrained on pairs that cost no labels: a strong and a weak model write the same program. It then
needs fewer labelled pairs.

    L = -log σ(r(x, y_strong) - r(x, y_weak)) - log p(y_strong|x)/|y|        then Bradley-Terry on labelled pairs
"""

from __future__ import annotations

from posttrain.core.method import Sampling
from posttrain.data.dataset import Dataset
from posttrain.selection.answers import dataset
from posttrain.selection.pairs import unlabelled
from posttrain.training.session import NO_OPTIONS, Options, Session


def code_pmp(
    session: Session,
    prompts: Dataset,
    pairs: Dataset,
    *,
    strong: str = "strong",
    weak: str = "weak",
    pretraining: Options = NO_OPTIONS,
    reward: Options = NO_OPTIONS,
) -> dict[str, float]:
    """A program of each of two models for every prompt -> reward model on who wrote it -> reward model on the pairs.

    Settings:
        strong: model that writes the preferred programs; any of `models` with the policy's tokens, or policy.
        weak: model that writes the rejected programs; any of the same.
        pretraining: options of the first stage: any keys of `train`, and `settings` of reward/pmp.
        reward: options of the second stage: any keys of `train`, and `settings` of its method.
    """
    authors = (Sampling(mix=((role, 1.0),)) for role in (strong, weak))
    written = session.collect("programs", prompts, *authors, rewards=())
    session.copy("policy", "reward")
    session.train("reward/pmp", dataset(unlabelled(written), "strong and weak"), rewards=(), **pretraining)
    return session.train("reward/bradley_terry", pairs, rewards=(), **reward)
