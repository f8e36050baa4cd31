"""Which texts are alike by their words (Salton and Buckley, 1988)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence


def similar(texts: Sequence[str], count: int) -> list[list[int]]:
    """Return for each text the places of the `count` others that are most like it, the most similar one first.

        cos(v_i, v_j),    v = (number of times that a word is in the text) log(N / number of texts with it)

    Texts that share no word, but for those that are in all of them, are not alike. Ties go to the earlier text.
    """
    vectors = _vectors(texts, texts)
    return [_most_alike(own, vectors, count, {i}) for i, own in enumerate(vectors)]


def nearest(texts: Sequence[str], library: Sequence[str], count: int) -> list[list[int]]:
    """Return for each text the places of the `count` texts of a library that are most like it, as `similar` does.

    The library says how rare a word is. A text of it that is the text itself is left out.
    """
    known = _vectors(library, library)
    same = [{j for j, other in enumerate(library) if other == text} for text in texts]
    return [_most_alike(own, known, count, out) for own, out in zip(_vectors(texts, library), same, strict=True)]


def _vectors(texts: Sequence[str], library: Sequence[str]) -> list[dict[str, float]]:
    """Return the weight of each word of each text; words that no text of the library has are left out."""
    known = Counter(word for text in library for word in set(_words(text)))
    scaled = []
    for text in texts:
        own = Counter(w for w in _words(text) if w in known)
        scaled.append(_scaled({w: n * math.log(len(library) / known[w]) for w, n in own.items()}))
    return scaled


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _most_alike(
    own: Mapping[str, float], known: Sequence[Mapping[str, float]], count: int, left_out: Collection[int]
) -> list[int]:
    scores = [(_product(own, other), j) for j, other in enumerate(known) if j not in left_out]
    near = sorted(((score, j) for score, j in scores if score > 0), key=lambda pair: (-pair[0], pair[1]))
    return [j for _, j in near[:count]]


def _scaled(vector: Mapping[str, float]) -> dict[str, float]:
    length = math.sqrt(math.fsum(x * x for x in vector.values()))
    return {w: x / length for w, x in vector.items() if x}


def _product(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    return math.fsum(x * b[w] for w, x in a.items() if w in b)
