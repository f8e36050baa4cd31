"""Okapi BM25 (Robertson and Zaragoza, 2009): the texts of a corpus that fit a query best.

    score(q, d) = Σ_w log(1 + (N - n_w + 1/2) / (n_w + 1/2)) · f (k₁ + 1) / (f + k₁ (1 - b + b |d| / mean |d|))

over the words w of the query; f counts w in d, n_w the texts that hold it, N all texts.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

K1, B = 1.2, 0.75


class Bm25:
    """An index of texts. Words are runs of letters and digits, in small letters."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [Counter(words(text)) for text in texts]
        lengths = [sum(count.values()) for count in counts]
        mean = sum(lengths) / max(1, len(texts)) or 1.0
        self.postings: dict[str, dict[int, float]] = defaultdict(dict)  # word -> text -> what it adds to the score
        for number, (count, length) in enumerate(zip(counts, lengths, strict=True)):
            for word, f in count.items():
                self.postings[word][number] = f * (K1 + 1) / (f + K1 * (1 - B + B * length / mean))
        for found in self.postings.values():
            rarity = math.log(1 + (len(texts) - len(found) + 0.5) / (len(found) + 0.5))
            found.update({number: rarity * share for number, share in found.items()})

    def scores(self, query: str) -> dict[int, float]:
        """Return the score of every text that shares a word with the query."""
        total: dict[int, float] = defaultdict(float)
        for word in words(query):
            for number, share in self.postings.get(word, {}).items():
                total[number] += share
        return dict(total)

    def search(self, query: str, k: int) -> list[int]:
        """Return the numbers of the k best texts, the best first; of equals the earlier one. Fewer if few fit."""
        scores = self.scores(query)
        return sorted(scores, key=lambda number: (-scores[number], number))[:k]


def words(text: str) -> list[str]:
    """Return the words of a text, in small letters."""
    return re.findall(r"\w+", text.casefold())
