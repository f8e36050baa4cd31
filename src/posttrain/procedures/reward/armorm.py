"""Interpretable Preferences via Multi-Objective Reward Modeling and Mixture-of-Experts (Wang et al., 2024): ArmoRM.

A reward model that says why: a linear head for each attribute that people rate, and a gate that reads the prompt and
decides how much each of them counts. Only the gate is trained; the heads are fitted in closed form.

    w_k = argmin Σ (a_k - w·e(x, y))² + λ|w|²,    r_k = (w_k - c_k w_v)·e(x, y),    R = Σ_k softmax(V e(x))_k r_k

c_k takes away as little of verbosity v as makes the rank correlation of r_k and r_v on the pairs at most `threshold`.
The paper's model is a reward model before all this: `first` is that stage, or `model` names one. Ratings are numbers of
like size, such as 0 to 1. As a sequence classifier of transformers the result gives the r_k; here it scores by R.
"""

from __future__ import annotations

import torch

from posttrain.data.dataset import Dataset
from posttrain.selection.attribute_heads import decorrelated, rated, ridge
from posttrain.training.session import NO_OPTIONS, Options, Session

LIKE_THE_PAPER = tuple(10.0**n for n in range(-4, 5))


def armorm(
    session: Session,
    demonstrations: Dataset,
    pairs: Dataset,
    *,
    verbosity: int | None = None,
    threshold: float = 0.03,
    penalties: tuple[float, ...] = LIKE_THE_PAPER,
    first: Options = NO_OPTIONS,
    gate: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Fit a head to the ratings of each attribute -> take verbosity out of them -> train the gate on the pairs.

    The demonstrations have a column `attributes` with the ratings of the answer, null where one is missing.

    Settings:
        verbosity: place of the attribute that is taken out of all others, the first is 0; null (none) or below K.
        threshold: largest rank correlation with verbosity that stays; 0 to 1, 0.03 in the paper.
        penalties: λ, of which each attribute takes the best on held-out ratings; any above 0.
        first: options of a stage of reward/bradley_terry on the pairs before all others; none leaves it out.
        gate: options of the stage of the gate: any keys of `train`, and `settings` of its method, reward/gated.
    """
    session.copy("policy", "reward")
    if first:
        session.train("reward/bradley_terry", pairs, rewards=(), **first)
    ratings = rated(demonstrations)
    heads = ridge(_states(session, "rated", demonstrations), ratings, penalties)
    if verbosity is not None:
        heads = decorrelated(heads, _states(session, "compared", pairs), verbosity, threshold)
    session.set_head("reward", "score", heads)
    session.set_head("reward", "gate", torch.zeros_like(heads))
    return session.train("reward/gated", pairs, rewards=(), **gate)


def _states(session: Session, name: str, records: Dataset) -> torch.Tensor:
    return torch.tensor(session.embed(name, records, role="reward"), dtype=torch.float64)
