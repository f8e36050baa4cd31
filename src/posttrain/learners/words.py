"""How alike two short texts are, by their words: a stand-in for embeddings of sentences."""

from __future__ import annotations

import math
import re
from collections import Counter

DROPPED = {"a", "an", "the", "to", "you", "your", "of"}


def similarity(one: str, other: str) -> float:
    """The cosine of the counts of the words of two texts, without articles: 0 (none is shared) to 1 (the same)."""
    x, y = _counts(one), _counts(other)
    norms = math.sqrt(sum(n * n for n in x.values()) * sum(n * n for n in y.values()))
    return sum(n * y[word] for word, n in x.items()) / norms if norms else 0.0


def _counts(text: str) -> Counter[str]:
    return Counter(word for word in re.findall(r"\w+", text.lower()) if word not in DROPPED)
