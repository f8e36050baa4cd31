"""Unleashing the Potential of LLMs as Prompt Optimizers (Tang et al., 2024): how much of a prompt may change in a step.

The number of words that may change is the learning rate of the analogy. It falls along a cosine, and it is enforced: a
prompt that is further away by words is no candidate.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, floor, pi


def edit_budget(step: int, steps: int, first: int, last: int) -> int:
    """Return the words that may change in a step: ⌊last + (first - last) (1 + cos(π step / steps)) / 2⌋.

    From 50 to 10 over 12 steps it is 50, 44, 30, 15 and 10 at the steps 0, 3, 6, 9 and 12.
    """
    return floor(last + (first - last) * (1 + cos(pi * step / max(1, steps))) / 2 + 1e-9)


def word_distance(one: str, other: str) -> int:
    """Return the least number of words to insert, delete or replace that make one text of the other."""
    a, b = one.split(), other.split()
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = _next_row(row, i, x, b)
    return row[-1]


def _next_row(above: Sequence[int], i: int, x: str, words: Sequence[str]) -> list[int]:
    row = [i]
    for j, y in enumerate(words, 1):
        row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y)))
    return row
