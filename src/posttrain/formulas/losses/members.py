"""Losses and scores of an ensemble: M members say a number each about every answer, [B, M]."""

from __future__ import annotations

import itertools
import math

import torch
from torch.nn.functional import softplus

from posttrain.core.batch import keyed_uniform
from posttrain.core.maths import members
from posttrain.core.parts import PairIndex, PerPair, PerRow, PerRowMany

LIMITS = tuple(itertools.accumulate(math.exp(-1) / math.factorial(k) for k in range(9)))  # P(Poisson(1) <= k)


def member_logistic(member_scores: PerRowMany, pairs: PairIndex, row_id: PerRow, *, bootstrap: bool = True) -> PerPair:
    """Mean over the members of their logistic losses of a pair, each weighted as its bootstrap sample says.

        1/M Σ_m w_m log(1 + exp(-(chosen_m - rejected_m)))

    Settings:
        bootstrap: whether w_m ~ Poisson(1), drawn once for each pair and member; if not, w_m = 1 and the members
            differ in their initial heads alone.
    """
    chosen, rejected = member_scores[pairs].unbind(1)
    losses = softplus(rejected - chosen)
    if bootstrap:
        losses = losses * bootstrap_weights(row_id[pairs[:, 0]], losses.shape[1]).to(losses)
    return losses.mean(1)


def bootstrap_weights(ids: PerRow, count: int) -> PerRowMany:
    """How often each record is in the bootstrap sample of each member, Poisson(1): ids [N] -> [N, M].

    It depends on the id and the member alone, so that it is the same in every epoch and after a resume.
    """
    limits = torch.tensor(LIMITS, dtype=torch.float64, device=ids.device)
    drawn = torch.stack([keyed_uniform(member, ids) for member in range(count)], 1)
    return torch.bucketize(drawn, limits, right=True)


def member_mean(member_scores: PerRowMany) -> PerRow:
    """Mean of the members' scores of a row."""
    return members.mean(member_scores)


def disagreement(member_scores: PerRowMany, pairs: PairIndex) -> PerPair:
    """Standard deviation over the members of the gap of a pair: √(1/M Σ_m (Δ_m - Δ̄)²)."""
    chosen, rejected = member_scores[pairs].unbind(1)
    return members.deviation(chosen - rejected)


def likeness(diversity: PerRow) -> PerRow:
    """How alike the members' adapters are: the nuclear norm of their updates, negative."""
    return -diversity
