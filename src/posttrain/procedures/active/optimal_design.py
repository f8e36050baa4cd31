"""Optimal Design for Reward Modeling in RLHF (Scheid et al., 2024).

ODPO: labels are dear, so only those comparisons are labelled that teach a linear reward most. Nothing needs to be
labelled to know which they are: it is enough to know where the answers lie.

    π* = argmin_π max_b |b|²_{V(π)⁻¹},    V(π) = Σ_b π_b b bᵀ,    b = ψ(x, y_i) - ψ(x, y_j)

ψ is the policy's state after an answer, in its `dimensions` longest directions. Of the `labels` each comparison is
given its part π_b, rounded to whole numbers (the paper rounds up). What is labelled teaches any `method` for pairs;
reward/bradley_terry is the paper's. DPO with an offset is another method of the same name.
"""

from __future__ import annotations

import torch

from posttrain.data.dataset import Dataset
from posttrain.selection import optimal_design as design
from posttrain.selection.answers import dataset, demonstrations, different
from posttrain.selection.coordinates import principal
from posttrain.selection.pairs import labels as labelled
from posttrain.selection.pairs import twos
from posttrain.training.session import NONE, Options, Session


def optimal_design(
    session: Session,
    prompts: Dataset,
    *,
    labels: int = 256,
    dimensions: int = 16,
    method: str = "preference/dpo",
    then: Options = NONE,
) -> dict[str, float]:
    """Answer each prompt 4 times -> choose comparisons -> label their answers with the rewards -> train."""
    answers = different(session.collect("answers", prompts, session.how(samples=4), rewards=()))
    states = torch.tensor(session.embed("states", demonstrations(answers)), dtype=torch.float64)
    candidates = twos(answers)
    differences = torch.stack([states[i] - states[j] for i, j in candidates])
    weights = design.optimal_design(differences @ principal(differences, dimensions))
    counts = design.apportioned(weights, labels)
    asked = sorted({i for two, n in zip(candidates, counts, strict=True) for i in two if n})
    session.display.note(f"{sum(n > 0 for n in counts)} of {len(candidates)} comparisons are labelled, {labels} times")
    known = dict(zip(asked, session.judge("labels", [answers[i] for i in asked]), strict=True))
    pairs = [p for (i, j), n in zip(candidates, counts, strict=True) if n for p in labelled(known[i], known[j], n)]
    session.copy("policy", "reference")
    return session.train(method, dataset(pairs, "labelled comparisons"), rewards=(), **then)
