"""Which comparisons to ask for next: those from which a reward model that knows its doubt would learn most."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.special import entr

from posttrain.seeds import seed_for
from posttrain.selection.linear_reward import Posterior, posterior


def double_thompson(scores: Tensor, seed: int, *, tries: int = 30) -> tuple[int, int]:
    """Return two answers that may be the best (Dwaracherla et al., 2024), of the scores [M, K] of M draws of a reward.

    The first is the best under a random draw. The second is that of another, drawn until it differs; after `tries` it
    is any other answer.
    """
    generator = torch.Generator().manual_seed(seed)
    best = scores.argmax(1)
    drawn = best[torch.randint(len(best), (tries + 1,), generator=generator)].tolist()
    first = drawn[0]
    others = [i for i in range(scores.shape[1]) if i != first]
    chance = others[int(torch.randint(len(others), (1,), generator=generator))]
    return first, next((i for i in drawn if i != first), chance)


def couples(scores: Tensor, prompts: Sequence[int], seed: int) -> list[tuple[int, int]]:
    """Return two answers to each prompt that has several. `scores` [M, N]; `prompts`: the id of that of each answer."""
    places: dict[int, list[int]] = {}
    for i, prompt in enumerate(prompts):
        places.setdefault(prompt, []).append(i)
    chosen = []
    for prompt, group in places.items():
        if len(group) > 1:
            one, other = double_thompson(scores[:, group], seed_for(seed, prompt))
            chosen.append((group[one], group[other]))
    return chosen


def disagreement(gaps: Tensor) -> Tensor:
    """Variance over the members of the probability of each comparison: gaps [M, N] -> [N]."""
    return gaps.sigmoid().var(0, correction=0)


def mutual_information(gaps: Tensor) -> Tensor:
    """What a label says of which member is right (BALD, Houlsby et al., 2011): H(p̄) - mean H(p_m), [M, N] -> [N]."""
    p = gaps.sigmoid()
    return _entropy(p.mean(0)) - _entropy(p).mean(0)


def _entropy(p: Tensor) -> Tensor:
    bits: Tensor = entr(p) + entr(1 - p)
    return bits


def information(known: Posterior, vectors: Tensor, rationality: Tensor) -> Tensor:
    """How much log det P grows by a label of each comparison [N, d] from a teacher of each rationality β [N].

    log(1 + β² p (1-p) z' P⁻¹ z),    p = σ(β θ·z)
    """
    return torch.log1p(_certainty(known, vectors, rationality) * known.variance(vectors))


def _certainty(known: Posterior, vectors: Tensor, rationality: Tensor) -> Tensor:
    p = torch.sigmoid(rationality * (vectors @ known.mean))
    return rationality**2 * p * (1 - p)


def dual_design(vectors: Tensor, rationality: Tensor, labels: int, *, refit: int = 8, ridge: float = 1.0) -> list[int]:
    """Return the questions [N, d] to ask, each with a teacher of known rationality [N], in order (Liu et al., 2024).

    The next one is the most informative. The reward is fitted anew to the answers after each `refit` of them. Vectors
    point to the answer that the teacher prefers; which one that is plays no part before he was asked.
    """
    asked: list[int] = []
    while len(asked) < min(labels, len(vectors)):
        if len(asked) % refit == 0:
            known = posterior(vectors[asked], ridge=ridge, rationality=rationality[asked])
        gain = information(known, vectors, rationality).index_fill(0, torch.tensor(asked, dtype=torch.long), -1.0)
        asked.append(int(gain.argmax()))
        z, weight = vectors[asked[-1]], _certainty(known, vectors[asked[-1:]], rationality[asked[-1:]])
        known = Posterior(known.mean, known.precision + weight * z[:, None] * z)
    return asked
