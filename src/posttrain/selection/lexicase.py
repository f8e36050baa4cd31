"""Lexicase selection: a set of rewards that each satisfy a different part of contradictory preferences."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import torch
from torch import Tensor


def lexicase(passed: Sequence[int], pool: int, chance: Random) -> int:
    """Return one of `pool` hypotheses; bit h of passed[c] says whether hypothesis h passes case c.

    The cases come in random order. Each keeps the hypotheses that pass it, unless none of the remaining ones does. So
    no other hypothesis passes all cases that the winner passes and more (Pareto).
    """
    left = (1 << pool) - 1
    for case in chance.sample(passed, len(passed)):
        left = left & case or left
    return chance.choice([h for h in range(pool) if left >> h & 1])


def evolved(
    differences: Tensor,
    *,
    pool: int = 100,
    generations: int = 30,
    mutation: float = 0.1,
    cases: int = 64,
    seed: int = 0,
) -> Tensor:
    """Return linear rewards w [K, d] with wᵀ(φ(y_w) - φ(y_l)) > 0 for many pairs, each for a different part of them.

    differences: φ(y_w) - φ(y_l) of each pair [N, d]. The parents of a generation are lexicase winners on `cases` random
    pairs, and each child is a random step of length `mutation` away. The last selection is on all pairs, and winners
    that agree on every pair count once.
    """
    chance, generator = Random(seed), torch.Generator().manual_seed(seed)  # noqa: S311 (no secret)
    count, d = differences.shape
    directions = torch.randn(pool, d, generator=generator, dtype=differences.dtype)
    for _ in range(generations):
        some = differences[chance.sample(range(count), min(cases, count))]
        parents = _unit(directions)[_winners(directions, some, chance)]
        steps = torch.randn(pool, d, generator=generator, dtype=differences.dtype)
        directions = parents + mutation * _unit(steps)
    winners = dict.fromkeys(_winners(directions, differences, chance))
    verdicts = {tuple((differences @ directions[h] > 0).tolist()): h for h in reversed(winners)}
    return _unit(directions[sorted(verdicts.values())])


def contrasting(directions: Tensor, differences: Tensor, count: int, share: float = 0.9) -> Tensor:
    """Return at most `count` of the rewards [K, d] that satisfy at least `share` as many pairs as the best of them.

    The first is the one that disagrees most with some other; each later one is farthest from all before it.
    """
    verdicts = directions @ differences.T > 0
    good = verdicts.sum(1) >= share * verdicts.sum(1).max()
    differ = (verdicts[good][:, None] != verdicts[good][None]).sum(-1)
    chosen = [int(differ.amax(1).argmax())]
    while len(chosen) < min(count, len(differ)):
        chosen.append(int(differ[:, chosen].amin(1).argmax()))
    return directions[good][chosen]


def _winners(directions: Tensor, differences: Tensor, chance: Random) -> list[int]:
    """Return one lexicase winner for each hypothesis in the pool."""
    passed = [sum(1 << h for h, yes in enumerate(row) if yes) for row in (differences @ directions.T > 0).tolist()]
    return [lexicase(passed, len(directions), chance) for _ in range(len(directions))]


def _unit(vectors: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vectors, dim=1)
