"""ChatGLM-RLHF: Practices of Aligning Large Language Models with Human Feedback (Hou et al., 2024), its length buckets.

Pairs are divided into buckets by how much the lengths of their answers differ. In each bucket as many pairs are kept in
which the preferred answer is the longer one as pairs in which it is the shorter, so that length alone predicts nothing:

    P(the longer answer is preferred | bucket) = 1/2
"""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.records import Pair
from posttrain.seeds import seed_for
from posttrain.turns import answer_text


def balanced(pairs: Sequence[Pair], width: int = 10, seed: int = 0) -> list[Pair]:
    """Return the pairs that are kept, in their order. Of the more frequent side of a bucket the seed leaves some out.

    `width` of a bucket in words. Pairs of equal length are all kept. Raises ValueError for a width below 1.
    """
    if width < 1:
        raise ValueError(f"the width of a bucket is at least 1 word, not {width}")
    buckets: dict[int, tuple[list[Pair], list[Pair]]] = {}
    for pair in pairs:
        if by := longer_by(pair):
            buckets.setdefault((abs(by) - 1) // width, ([], []))[by > 0].append(pair)
    kept = {id(p) for sides in buckets.values() for side in sides for p in _some(side, min(map(len, sides)), seed)}
    return [p for p in pairs if not longer_by(p) or id(p) in kept]


def longer_by(pair: Pair) -> int:
    """Return how many words the preferred answer has more than the other."""
    return len(answer_text(pair.chosen).split()) - len(answer_text(pair.rejected).split())


def _some(side: Sequence[Pair], count: int, seed: int) -> Sequence[Pair]:
    return sorted(side, key=lambda p: seed_for(seed, "balance", p.id))[:count]
