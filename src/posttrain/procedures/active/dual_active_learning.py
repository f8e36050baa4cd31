"""Dual Active Learning for Reinforcement Learning from Human Feedback (Liu et al., 2024).

Labels cost money, and teachers are not alike: choose questions and teachers together, those that tell most about a
linear reward given all answers so far.

    (z, k) = argmax log det(H + I) - log det H,    I = β_k² p (1-p) z z',    p = σ(β_k θ·z)

The data are comparisons that each teacher could be asked for, with the column `annotator`; a label that was not chosen
is never read. z is the difference of the policy's hidden states after the two answers, projected on principal
directions. The chosen pairs train any `method` for pairs; the paper's policy then maximises θ·z - c |z|_{H⁻¹}.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import torch

from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError, suggestion
from posttrain.selection.acquisition import dual_design
from posttrain.selection.coordinates import principal
from posttrain.training.session import NO_OPTIONS, Options, Session


def dual_active_learning(
    session: Session,
    pairs: Dataset,
    *,
    labels: int = 256,
    refit: int = 8,
    dimensions: int = 16,
    rationality: Mapping[str, float] = MappingProxyType({}),
    method: str = "reward/bradley_terry",
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Embed the comparisons -> choose questions and teachers one after the other -> train on their answers.

    Settings:
        labels: number of comparisons that are chosen; at least 1.
        refit: number of answers after which the reward is fitted anew; at least 1, where fewer choose better.
        dimensions: principal directions of the hidden states; at least 1, where more need more labels.
        rationality: β of teachers by the name in the column `annotator`; above 0, where larger sees more, else 1.
        method: name of the method that learns from them; any that reads pairs, such as preference/dpo.
        then: options of the stage of `method`: any keys of `train`, and `settings` of its method.
    """
    teachers = [str(p.columns.get("annotator")) for p in pairs]
    if unknown := sorted(set(rationality) - set(teachers)):
        raise ConfigError(f"rationality: no annotator {unknown[0]!r} in {pairs.name}{suggestion(unknown[0], teachers)}")
    states = torch.tensor(session.embed("compared", pairs), dtype=torch.float64)
    differences = states[::2] - states[1::2]
    beta = torch.tensor([rationality.get(name, 1.0) for name in teachers], dtype=torch.float64)
    asked = dual_design(differences @ principal(differences, dimensions), beta, labels, refit=refit)
    session.note(f"{len(asked)} of {len(pairs)} comparisons are asked for")
    return session.train(method, Dataset(tuple(pairs[i] for i in asked), "answers"), rewards=(), **then)
