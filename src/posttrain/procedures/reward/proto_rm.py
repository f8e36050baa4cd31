"""Prototypical Reward Network for Data-Efficient RLHF (Zhang et al., 2024): Proto-RM.

A reward model for few labels: the states of the answers give prototypes, more where states are far from all of them,
and each answer is scored half by itself and half by the prototypes near it.

    μ_1 ... μ_P by  min_p |h - μ_p|² > λ,    r(x, y) = φ·½(h + Σ_p softmax(-|h - μ_p|)_p μ_p)

Prototypes begin once, after a stage of reward/bradley_terry, where the paper adds them during training. transformers
does not open the result as a sequence classifier, since its score is not linear in the state.
"""

from __future__ import annotations

import torch

from posttrain.data.dataset import Dataset
from posttrain.selection.prototypes import prototypes
from posttrain.training.session import NO_OPTIONS, Options, Session


def proto_rm(
    session: Session,
    pairs: Dataset,
    *,
    alpha: float = 0.1,
    most: int = 36,
    first: Options = NO_OPTIONS,
    reward: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Train a reward model -> find prototypes among the states of the pairs -> train all together.

    Settings:
        alpha: α, how readily a state begins a prototype; above 0 and below 1, 0.1 in the paper's code.
        most: largest number of prototypes; at least 2, 36 to 290 in the paper's code.
        first: options of a stage of reward/bradley_terry before all others; none leaves it out.
        reward: options of the stage of reward/prototypes: any keys of `train`, and `settings` of its method.
    """
    session.copy("policy", "reward")
    if first:
        session.train("reward/bradley_terry", pairs, rewards=(), **first)
    states = torch.tensor(session.embed("states", pairs, role="reward"), dtype=torch.float64)
    found = prototypes(states, alpha=alpha, most=most)
    session.note(f"{len(found)} prototypes stand for {len(states)} answers")
    session.set_head("reward", "prototype", found)
    return session.train("reward/prototypes", pairs, rewards=(), **reward)
