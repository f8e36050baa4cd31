"""The next-token distribution: temperature, top-k, top-p, and drawing from it.

Legend: S sequences, V vocabulary. A distribution is given by scores [S, V]: log-probabilities up to a constant per row.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from posttrain.models.kernels import decode_step

BLOCK = 256  # vocabulary entries whose probabilities are summed first
NUCLEUS = 256  # most probable tokens among which the nucleus is searched first


def truncated(scores: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor) -> Tensor:
    """Return the scores [S, V] to sample from: temperature, then top-k, then top-p of what remains.

    The settings are [S]. A temperature of 0 keeps only the best token; top_k = 0 and top_p = 1 change nothing. Tokens
    as probable as the last one kept are kept as well.
    """
    greedy = temperature == 0
    scores = scores / torch.where(greedy, 1, temperature).to(scores.dtype)[:, None]
    if greedy.any():
        best = scores[greedy].argmax(-1, keepdim=True)
        scores[greedy] = torch.full_like(scores[greedy], -torch.inf).scatter_(1, best, 0)
    limited = (top_k > 0) & (top_k < scores.shape[1])
    if limited.any():
        scores[limited] = _at_least(scores[limited], _kth(scores[limited], top_k[limited]))
    nuclear = top_p < 1
    if nuclear.any():
        scores[nuclear] = _at_least(scores[nuclear], _nucleus_threshold(scores[nuclear], top_p[nuclear]))
    return scores


def uniforms(seed: int, count: int) -> list[float]:
    """Return the random numbers of an answer, in [0, 1), one for each token that it may have."""
    generator = torch.Generator().manual_seed(seed)
    numbers: list[float] = torch.rand(count, dtype=torch.float64, generator=generator).tolist()
    return numbers


def draw(scores: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
    """Draw tokens by inverse CDF from `uniform` [S] in [0, 1). Returns the tokens and their log-probs: [S], [S].

    The token is the first whose cumulative probability exceeds `uniform`. Probabilities are summed within blocks in
    their own dtype, and over blocks in float64. This needs one random number per token instead of one per vocabulary
    entry, and no float64 copy of the scores.
    """
    if decode_step.supports(scores):
        return decode_step.draw(scores, uniform)
    maximum = scores.amax(-1, keepdim=True)
    weights = (scores - maximum).exp_()  # in place, because memory traffic costs more than arithmetic
    if left := -scores.shape[1] % BLOCK:
        weights = F.pad(weights, (0, left))
    weights = weights.view(len(scores), -1, BLOCK)
    sums = weights.sum(-1).cumsum(-1, dtype=torch.float64)
    total = sums[:, -1]
    row = torch.arange(len(scores), device=scores.device)
    block = _first_above(sums, uniform.to(sums) * total)
    before = torch.where(block > 0, sums[row, block - 1], 0)
    within = weights[row, block].double().cumsum(-1)
    token = block * BLOCK + _first_above(within, uniform.to(sums) * total - before)
    return token, scores[row, token] - maximum[:, 0] - total.log().to(scores.dtype)


def _first_above(cumulative: Tensor, target: Tensor) -> Tensor:
    """The first index of [S, K] whose cumulative sum exceeds the target [S]. Rounding never picks one of weight 0."""
    index = torch.searchsorted(cumulative, target[:, None], right=True)
    last = (cumulative < cumulative[:, -1:]).sum(-1, keepdim=True)
    return torch.minimum(index, last)[:, 0]


def _at_least(scores: Tensor, threshold: Tensor) -> Tensor:
    """Mask the scores below the threshold of their row [S, 1]."""
    return scores.masked_fill(scores < threshold, -torch.inf)


def _kth(scores: Tensor, k: Tensor) -> Tensor:
    """The k-th largest score of each row: [S, 1]."""
    return scores.topk(int(k.max()), -1).values.gather(1, k[:, None] - 1)


def _nucleus_threshold(scores: Tensor, p: Tensor) -> Tensor:
    """The lowest score in the nucleus of mass p: [S, 1]. Searches among the best tokens first, then among more."""
    size, count = scores.shape[1], min(NUCLEUS, scores.shape[1])
    logsumexp = scores.logsumexp(-1, keepdim=True)
    while True:
        best = scores.topk(count, -1).values
        mass = (best - logsumexp).exp().cumsum(-1)
        if count == size or bool((mass[:, -1] >= p).all()):
            break
        count = min(8 * count, size)
    last = (mass < p[:, None].to(mass)).sum(-1, keepdim=True).clamp(max=count - 1)
    return best.gather(1, last)
