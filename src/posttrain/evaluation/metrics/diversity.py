"""Understanding the Effects of RLHF on LLM Generalisation and Diversity (Kirk et al., 2023).

The diversity D of a set of texts, within inputs and across them:

    per input     = mean_i D({y_i1 ... y_iK})        K answers to the same question
    across inputs = D({y_11, y_21, ... y_N1})        one answer to each of N questions

    distinct  = U_n / C_n                            unique n-grams in all, averaged over n = 1 to 5  (Li et al., 2016)
    EAD       = U_n / (V (1 - ((V - 1) / V)^C_n))    by what V equally likely words would give     (Liu et al., 2022)
    cosine    = 1 - mean cos(e_i, e_j), i < j        of embeddings
    relations = 1 - mean (P(entails) - P(contradicts)), over ordered pairs; 0 if all say the same, 2 if all contradict
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, permutations
from statistics import fmean
from typing import TypeVar

T = TypeVar("T")
Vector = Mapping[object, float]  # by its dimensions that are not 0

MOST = 5  # words of the longest n-grams
VOCABULARY = 50257  # of GPT-2, as in the paper


def per_input(measure: Callable[[Sequence[T]], float | None], groups: Iterable[Sequence[T]]) -> float | None:
    """Return the mean diversity of the answers to each question; None where no group has a number."""
    found = [x for x in map(measure, groups) if x is not None]
    return fmean(found) if found else None


def across_inputs(measure: Callable[[Sequence[T]], float | None], groups: Iterable[Sequence[T]]) -> float | None:
    """Return the diversity of the first answers to all questions."""
    return measure([group[0] for group in groups if group])


def distinct(texts: Sequence[str], most: int = MOST) -> float | None:
    """Return the share of n-grams that are unique, averaged over n; None without a word."""
    return _averaged(texts, most, lambda unique, count: unique / count)


def expectation_adjusted_distinct(texts: Sequence[str], most: int = MOST, vocabulary: int = VOCABULARY) -> float | None:
    """Return distinct n-grams over those expected of as many draws, averaged over n: length does not matter.

    None without a word.
    """
    return _averaged(texts, most, lambda unique, count: adjusted(unique, count, vocabulary))


def adjusted(unique: int, count: int, vocabulary: int) -> float:
    """Return U / (V (1 - ((V - 1)/V)^C))."""
    return unique / (-vocabulary * math.expm1(count * math.log1p(-1 / vocabulary)))


def _averaged(texts: Sequence[str], most: int, ratio: Callable[[int, int], float]) -> float | None:
    found = []
    for n in range(1, most + 1):
        grams = Counter(g for text in texts for g in _ngrams(text.split(), n))
        if grams:
            found.append(ratio(len(grams), grams.total()))
    return fmean(found) if found else None


def _ngrams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def cosine_diversity(vectors: Sequence[Vector]) -> float | None:
    """Return 1 less the mean cosine of all pairs; None for fewer than two vectors."""
    found = [cosine(a, b) for a, b in combinations(vectors, 2)]
    return 1 - fmean(found) if found else None


def relation_diversity(n: int, relation: Callable[[int, int], tuple[float, float]]) -> float | None:
    """Return the diversity of n texts by a model of entailment; None for fewer than two.

    `relation(i, j)`: the probabilities that text i entails text j, and that it contradicts it.
    """
    found = [entails - contradicts for i, j in permutations(range(n), 2) for entails, contradicts in [relation(i, j)]]
    return 1 - fmean(found) if found else None


def cosine(a: Vector, b: Vector) -> float:
    """Return the cosine of two vectors; 1 for two zeros, 0 for one."""
    sizes = [math.sqrt(math.fsum(x * x for x in v.values())) for v in (a, b)]
    if 0.0 in sizes:
        return float(sizes[0] == sizes[1])
    return math.fsum(x * b[i] for i, x in a.items() if i in b) / (sizes[0] * sizes[1])


def letters(text: str, n: int = 3) -> Counter[object]:
    """Return how often each run of n letters stands in a text: an embedding that needs no model."""
    plain = f" {' '.join(text.casefold().split())} "
    return Counter(plain[i : i + n] for i in range(len(plain) - n + 1))
