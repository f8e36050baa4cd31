"""The law of the next token, and how one is drawn from it.

Legend: S sequences, V vocabulary. A law is given by scores [S, V], its log-probabilities up to a constant of each row.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from posttrain.models.kernels import decode_step as step

BLOCK = 256  # tokens whose probabilities are first summed together
NUCLEUS = 256  # tokens among which the nucleus is first looked for


def truncated(scores: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor) -> Tensor:
    """Scores [S, V] of the law that is sampled from: temperature, then top-k, then top-p of what is left.

    The settings are [S]; a temperature of 0 leaves only the best token, top_k = 0 and top_p = 1 change nothing.
    Tokens as probable as the last one kept are kept as well.
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
        scores[nuclear] = _at_least(scores[nuclear], _nucleus_edge(scores[nuclear], top_p[nuclear]))
    return scores


def uniforms(seed: int, count: int) -> list[float]:
    """The random numbers of an answer, one for each token that it may have."""
    generator = torch.Generator().manual_seed(seed)
    drawn: list[float] = torch.rand(count, dtype=torch.float64, generator=generator).tolist()
    return drawn


def draw(scores: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
    """The token at which the cumulated probability passes `uniform` [S] in [0, 1), and its log-prob: [S], [S].

    Probabilities are summed within blocks, in their own type, and over the blocks in float64: a uniform number per
    token instead of one per entry of the vocabulary, and no copy of all entries in float64.
    """
    if step.runs(scores):
        return step.draw(scores, uniform)
    top = scores.amax(-1, keepdim=True)
    odds = (scores - top).exp_()  # in place: the memory costs more than the numbers
    if left := -scores.shape[1] % BLOCK:
        odds = F.pad(odds, (0, left))
    odds = odds.view(len(scores), -1, BLOCK)
    sums = odds.sum(-1).cumsum(-1, dtype=torch.float64)
    total = sums[:, -1]
    row = torch.arange(len(scores), device=scores.device)
    block = _passes(sums, uniform.to(sums) * total)
    before = torch.where(block > 0, sums[row, block - 1], 0)
    within = odds[row, block].double().cumsum(-1)
    token = block * BLOCK + _passes(within, uniform.to(sums) * total - before)
    return token, scores[row, token] - top[:, 0] - total.log().to(scores.dtype)


def _passes(cumulated: Tensor, target: Tensor) -> Tensor:
    """First index of [S, K] whose cumulated sum is above the target [S]; rounding never leads to one of weight 0."""
    index = torch.searchsorted(cumulated, target[:, None], right=True)
    last = (cumulated < cumulated[:, -1:]).sum(-1, keepdim=True)
    return torch.minimum(index, last)[:, 0]


def _at_least(scores: Tensor, edge: Tensor) -> Tensor:
    return scores.masked_fill(scores < edge, -torch.inf)


def _kth(scores: Tensor, k: Tensor) -> Tensor:
    """The k-th largest score of each row: [S, 1]."""
    return scores.topk(int(k.max()), -1).values.gather(1, k[:, None] - 1)


def _nucleus_edge(scores: Tensor, p: Tensor) -> Tensor:
    """The score of the last token that the mass p needs: [S, 1]. Looks among the best tokens first, then among more."""
    size, count = scores.shape[1], min(NUCLEUS, scores.shape[1])
    whole = scores.logsumexp(-1, keepdim=True)
    while True:
        best = scores.topk(count, -1).values
        mass = (best - whole).exp().cumsum(-1)
        if count == size or bool((mass[:, -1] >= p).all()):
            break
        count = min(8 * count, size)
    last = (mass < p[:, None].to(mass)).sum(-1, keepdim=True).clamp(max=count - 1)
    return best.gather(1, last)
