"""Which prompts of the past a search remembers when it writes the next one, and how alike two texts are.

GPO (Tang et al., 2024) shows the past prompts that are most relevant to the present one, as an optimiser's momentum
remembers past gradients; the latest are those of OPRO (Yang et al., 2023), and without any it draws again from the same
request (APE, Zhou et al., 2022).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from typing import Literal

Past = tuple[str, float]  # a prompt and its score
Remember = Literal["relevance", "recency", "importance"]


def remembered(past: Sequence[Past], present: str, count: int, by: Remember = "relevance") -> list[Past]:
    """Return `count` of the past prompts, the worst score first.

    relevance: those most like the present one. recency: the latest. importance: those with the highest scores.
    """
    last = len(past)
    keys = {
        "relevance": lambda i: (alike(past[i][0], present), i),
        "recency": lambda i: (0.0, i),
        "importance": lambda i: (past[i][1], i),
    }
    chosen = sorted(range(last), key=keys[by])[max(0, last - count) :] if count else []
    return sorted((past[i] for i in chosen), key=lambda p: p[1])


def alike(one: str, other: str) -> float:
    """Return the cosine of the word counts of two texts, from 0 to 1."""
    a, b = Counter(one.lower().split()), Counter(other.lower().split())
    size = sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values()))
    return sum(n * b[w] for w, n in a.items()) / size if size else 0.0
