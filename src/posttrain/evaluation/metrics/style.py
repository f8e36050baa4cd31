"""The style of texts in numbers: what changes in the answers of a model while its scores rise.

Each function reads one text; the mean over questions, and its change between two checkpoints, are those of a suite.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_LISTED = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s", re.MULTILINE)
_HEADED = re.compile(r"^\s*(?:#{1,6}\s|\*\*[^*]+\*\*\s*$)", re.MULTILINE)
_HEDGED = re.compile(r"\b(?:may|might|perhaps|possibly|likely|seems?|appears?|could be|in general|typically)\b", re.I)
_FIRST_PERSON = re.compile(r"\b(?:I|me|my|mine|myself|I'm|I've|I'll)\b")


def words(text: str) -> float:
    """Count the words."""
    return float(len(text.split()))


def sentence_length(text: str) -> float | None:
    """Return the mean number of words of a sentence; None without words."""
    sentences = [s for s in re.split(r"[.!?]+(?:\s|$)|\n+", text) if s.split()]
    return len(text.split()) / len(sentences) if sentences else None


def repeated(text: str) -> float | None:
    """Return the share of trigrams of words that stood there before; None for fewer than three words."""
    own = text.casefold().split()
    grams = [tuple(own[i : i + 3]) for i in range(len(own) - 2)]
    return 1 - len(set(grams)) / len(grams) if grams else None


def _per_hundred(pattern: re.Pattern[str]) -> Callable[[str], float | None]:
    def rate(text: str) -> float | None:
        n = len(text.split())
        return 100 * len(pattern.findall(text)) / n if n else None

    return rate


list_items = _per_hundred(_LISTED)
headings = _per_hundred(_HEADED)
hedges = _per_hundred(_HEDGED)
first_person = _per_hundred(_FIRST_PERSON)
exclamations = _per_hundred(re.compile("!"))

FEATURES: dict[str, Callable[[str], float | None]] = {
    "words": words,
    "sentence_length": sentence_length,
    "repeated": repeated,
    "list_items": list_items,
    "headings": headings,
    "hedges": hedges,
    "first_person": first_person,
    "exclamations": exclamations,
}
