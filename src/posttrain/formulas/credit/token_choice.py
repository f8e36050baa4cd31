"""Which tokens of an optimiser step count: 1 or 0 for each, derived each step from the policy as it is then."""

from __future__ import annotations

import torch
from torch import Tensor

from posttrain.core.batch import keyed_uniform
from posttrain.core.parts import PerRow, PerToken, Scalar
from posttrain.core.rows import Rows


def high_entropy(entropy: PerToken, rows: Rows, *, share: float = 0.2) -> PerToken:
    """1 for the trained tokens where the policy is least certain, 0 for the others.

    Settings:
        share: share of the tokens that count; above 0 and at most 1 (all), 0.2 in the paper.
    """
    own = entropy[rows.mask]
    if not len(own):
        return torch.zeros_like(entropy)
    return (rows.mask & (entropy >= own.quantile(1 - share))).to(entropy.dtype)


def without_high_covariance(
    advantage: PerToken,
    logp: PerToken,
    row_id: PerRow,
    seed: Scalar,
    rows: Rows,
    *,
    share: float = 2e-4,
    lowest: float = 1.0,
    highest: float = 5.0,
) -> PerToken:
    """0 for some tokens whose likelihood and advantage are high together, 1 for the others.

        (A_t - mean A) (log π_t - mean log π) between ω_low and ω_high

    The tokens that are left out are drawn at random among these.

    Settings:
        share: tokens left out, as a share of all; above 0, 2e-4 in the paper, and never less than 1 token.
        lowest: ω_low, covariance from which a token may be left out; above 0, 1 in the paper.
        highest: ω_high, covariance up to which a token may be left out; above `lowest`, 5 in the paper.
    """
    together = covariance(advantage, logp, rows)
    may = (rows.mask & (together > lowest) & (together < highest)).nonzero()[:, 0]
    noise = keyed_uniform(int(seed), token_ids(row_id, rows)[may])
    count = min(max(1, int(share * int(rows.mask.sum()))), len(may))
    return torch.ones_like(advantage).index_fill(0, may[noise.topk(count).indices], 0)


def highest_covariance(advantage: PerToken, logp: PerToken, rows: Rows, *, share: float = 2e-4) -> PerToken:
    """1 for the tokens whose likelihood and advantage are highest together, 0 for the others.

        the largest (A_t - mean A) (log π_t - mean log π)

    Settings:
        share: tokens that count, as a share of all; above 0, 2e-4 to 2e-3 in the paper, and never less than 1 token.
    """
    own = covariance(advantage, logp, rows)[rows.mask]
    if not len(own):
        return torch.zeros_like(advantage)
    least = own.topk(max(1, int(share * len(own)))).values[-1]
    return (rows.mask & (covariance(advantage, logp, rows) >= least)).to(advantage.dtype)


def covariance(advantage: Tensor, logp: Tensor, rows: Rows) -> Tensor:
    """What each token adds to the covariance of advantage and log-prob over the trained tokens, times their number."""
    mean = [x[rows.mask].mean() for x in (advantage, logp)]
    return (advantage - mean[0]) * (logp - mean[1])


def token_ids(row_id: Tensor, rows: Rows) -> Tensor:
    """Return an id of each token that does not depend on the order of the rows."""
    return row_id[rows.index] * 1_000_003 + rows.position()
