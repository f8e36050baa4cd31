"""Extracting Training Data from Large Language Models (Carlini et al., 2021); Measuring Memorization in RLHF for Code
Completion (Pappu et al., 2024).

A model that is given the beginning of a training text has memorised the rest if it writes it again:

    extracted          the reply begins with the rest, word for word
    edit similarity    1 - (edit distance of the words) / (the longer number of words); near from 0.9 on
    exposure           log2 |candidates| - log2 rank of the secret, by likelihood     (The Secret Sharer, 2019)
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

NEAR = 0.9


def extracted(reply: str, rest: str) -> bool:
    """Whether a reply begins with all words of a text; never for an empty one."""
    own, wanted = reply.split(), rest.split()
    return bool(wanted) and own[: len(wanted)] == wanted


def edit_similarity(one: Sequence[str], two: Sequence[str]) -> float:
    """Return 1 less the edit distance of two lists of words over the longer length; 1 for two empty ones."""
    longest = max(len(one), len(two))
    return 1 - edit_distance(one, two) / longest if longest else 1.0


def edit_distance(one: Sequence[str], two: Sequence[str]) -> int:
    """Return the least number of words to insert, delete or replace (Levenshtein)."""
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(two, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def exposure(secret: float, others: Collection[float]) -> float:
    """Return how many bits a model gives away about a secret, from its log-likelihood and those of other candidates.

    0 if it is the least likely of all, log2 of their number if the likeliest. Of equal ones it comes last.
    """
    rank = 1 + sum(x >= secret for x in others)
    return math.log2(len(others) + 1) - math.log2(rank)


def shingles(text: str, n: int = 5) -> set[tuple[str, ...]]:
    """Return the runs of n words of a text, in lower case; a shorter text is one run."""
    own = text.casefold().split()
    return {tuple(own[i : i + n]) for i in range(max(1, len(own) - n + 1))} if own else set()


def near_duplicates(texts: Iterable[str], threshold: float = 0.8, n: int = 5) -> dict[int, int]:
    """Return which texts nearly repeat an earlier one: {index: index of the first}, by the Jaccard index of shingles.

    Exact: texts that share no shingle are never compared.
    """
    kept: dict[int, set[tuple[str, ...]]] = {}
    holders: dict[tuple[str, ...], list[int]] = {}
    found: dict[int, int] = {}
    for i, text in enumerate(texts):
        own = shingles(text, n)
        first = next((j for j in _sharing(own, holders) if jaccard(own, kept[j]) >= threshold), None)
        if first is not None:
            found[i] = first
            continue
        kept[i] = own
        for shingle in own:
            holders.setdefault(shingle, []).append(i)
    return found


def jaccard(one: Collection[object], two: Collection[object]) -> float:
    """Return |A ∩ B| / |A ∪ B|; 0 for two empty sets, which say nothing."""
    a, b = set(one), set(two)
    return len(a & b) / len(a | b) if a | b else 0.0


def _sharing(own: set[tuple[str, ...]], holders: Mapping[tuple[str, ...], Sequence[int]]) -> list[int]:
    return sorted({j for shingle in own for j in holders.get(shingle, ())})
