"""Which texts are alike by their words (Salton and Buckley, 1988)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence


def similar(texts: Sequence[str], count: int) -> list[list[int]]:
    """Return for each text the places of the `count` others that are most like it, the most similar one first.

        cos(v_i, v_j),    v = (number of times that a word is in the text) log(N / number of texts with it)

    Texts that share no word, but for those that are in all of them, are not alike. Ties go to the earlier text.
    """
    words = [Counter(re.findall(r"\w+", text.lower())) for text in texts]
    known = Counter(word for own in words for word in own)
    vectors = [_scaled({w: n * math.log(len(texts) / known[w]) for w, n in own.items()}) for own in words]
    found = []
    for i, own in enumerate(vectors):
        scores = [(_product(own, other), j) for j, other in enumerate(vectors) if j != i]
        near = sorted(((score, j) for score, j in scores if score > 0), key=lambda pair: (-pair[0], pair[1]))
        found.append([j for _, j in near[:count]])
    return found


def _scaled(vector: Mapping[str, float]) -> dict[str, float]:
    length = math.sqrt(math.fsum(x * x for x in vector.values()))
    return {w: x / length for w, x in vector.items() if x}


def _product(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    return math.fsum(x * b[w] for w, x in a.items() if w in b)
