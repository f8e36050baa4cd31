"""Optimal Design for Reward Modeling in RLHF (Scheid et al., 2024).

ODPO: labels are expensive, so the only comparisons to be labelled are those that teach a linear reward most. They can
be chosen before anything is labelled, from the positions of the answers alone.

    π* = argmin_π max_b |b|²_{V(π)⁻¹},    V(π) = Σ_b π_b b bᵀ,    b = ψ(x, y_i) - ψ(x, y_j)

ψ is the policy's hidden state after an answer, projected on its principal directions. Each comparison gets its share
π_b of the labels, rounded to whole numbers (the paper rounds up). The labelled pairs train any `method` for pairs; the
paper trains reward/bradley_terry. DPO with an offset is another method of the same name.
"""

from __future__ import annotations

import torch

from posttrain.data.dataset import Dataset
from posttrain.selection import optimal_design as design
from posttrain.selection.answers import dataset, demonstrations, different
from posttrain.selection.coordinates import principal
from posttrain.selection.pairs import all_pairs
from posttrain.selection.pairs import labels as labelled
from posttrain.training.session import NO_OPTIONS, Options, Session


def optimal_design(
    session: Session,
    prompts: Dataset,
    *,
    labels: int = 256,
    dimensions: int = 16,
    method: str = "preference/dpo",
    then: Options = NO_OPTIONS,
) -> dict[str, float]:
    """Answer each prompt 4 times -> choose comparisons -> label their answers with the rewards -> train.

    Settings:
        labels: number of labels in all; at least 1, the square of `dimensions` or more in the paper.
        dimensions: principal directions of the hidden states; at least 1, where more need more labels.
        method: name of the method that trains the policy; any that reads pairs, such as preference/simpo.
        then: options of the stage of `method`: any keys of `train`, and `settings` of its method.
    """
    answers = different(session.collect("answers", prompts, session.sampling(samples=4), rewards=()))
    states = torch.tensor(session.embed("states", demonstrations(answers)), dtype=torch.float64)
    candidates = all_pairs(answers)
    differences = torch.stack([states[i] - states[j] for i, j in candidates])
    weights = design.optimal_design(differences @ principal(differences, dimensions))
    counts = design.apportioned(weights, labels)
    asked = sorted({i for pair, n in zip(candidates, counts, strict=True) for i in pair if n})
    session.note(f"{sum(n > 0 for n in counts)} of {len(candidates)} comparisons are labelled, {labels} times")
    known = dict(zip(asked, session.score_again("labels", [answers[i] for i in asked]), strict=True))
    pairs = [p for (i, j), n in zip(candidates, counts, strict=True) if n for p in labelled(known[i], known[j], n)]
    session.copy("policy", "reference")
    return session.train(method, dataset(pairs, "labelled comparisons"), rewards=(), **then)
