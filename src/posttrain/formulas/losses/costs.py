"""Losses of cost models: a score above 0 says that an answer is harmful, and of two answers the lower one is safer."""

from __future__ import annotations

import torch
from torch.nn.functional import softplus

from posttrain.core.parts import PerPair, PerRow, PerRowMany
from posttrain.formulas.losses.attributes import by_attribute

BEAVERTAILS = (1 / 14,) * 14  # weights of its kinds of harm in one score


def signed_costs(
    chosen: PerPair, rejected: PerPair, chosen_safe: PerPair, rejected_safe: PerPair, *, sign: float = 1.0
) -> PerPair:
    """Loss of the costs of two answers, the first of which is safer, with a sign for each.

        -log σ(C_l - C_w) - κ [log σ(h_w C_w) + log σ(h_l C_l)],    h = -1 for a safe answer, else 1

    Settings:
        sign: κ, weight of the signs, which fix where 0 is; 0 orders alone, 1 in Safe RLHF.
    """
    harmful, other = 1 - 2 * chosen_safe, 1 - 2 * rejected_safe
    return softplus(chosen - rejected) + sign * (softplus(-harmful * chosen) + softplus(-other * rejected))


def harmlessness(score: PerRow) -> PerRow:
    """Cost of the row with the other sign, so that more is better: -C."""
    return -score


def harm_nll(score: PerRow, safe: PerRow) -> PerRow:
    """Cross-entropy of the cost as the log-odds of harm: -log σ(h C), h = -1 for a safe answer, else 1."""
    return softplus((2 * safe - 1) * score)


def sign_right(score: PerRow, safe: PerRow) -> PerRow:
    """Whether the cost has the right sign: above 0 for harmful answers alone; 1/2 at 0."""
    return 0.5 + 0.5 * ((1 - 2 * safe) * score).sign()


def categories_nll(scores: PerRowMany, attributes: PerRowMany) -> PerRow:
    """Cross-entropy of the log-odds of each kind of harm, summed; a missing mark (NaN) is not read.

    Σ_k log(1 + e^{r_k}) - a_k r_k,    a_k = 1 where there is harm of kind k, else 0
    """
    odds, known = by_attribute(scores, attributes, 1)[..., 0], ~attributes.isnan()
    return torch.where(known, softplus(odds) - attributes.nan_to_num() * odds, 0).sum(1)


def categories_right(scores: PerRowMany, attributes: PerRowMany) -> PerRow:
    """Share of the marked kinds of harm on whose side the log-odds are."""
    odds, known = by_attribute(scores, attributes, 1)[..., 0], ~attributes.isnan()
    right = known & ((odds > 0) == (attributes > 0.5))
    return right.sum(1) / known.sum(1).clamp(min=1)
