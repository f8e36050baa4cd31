"""Dynamic Rewarding with Prompt Optimization (Singla et al., 2024): answers judged by aspects that suit the question.

A model chooses a few aspects for each question, and may name others; a judge gives each a score of 1 to 5. A score that
cannot be read is left out, and an answer of which none can be read has no reward.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import fmean

ASPECTS = (
    "helpfulness",
    "clarity",
    "factuality",
    "depth",
    "engagement",
    "conciseness",
    "creativity",
    "relevance",
    "coherence",
    "honesty about limits",
    "harmlessness",
    "respect",
    "privacy",
    "practical use",
)
LOW, HIGH = 1, 5
LINE = re.compile(r"^\W*([A-Za-z][^:\n]{0,60}?)[^\w\n]*:[^\w\n]*?(-?[0-9]+(?:\.[0-9]+)?)", re.MULTILINE)


def chosen(reply: str, known: Sequence[str], least: int, most: int) -> tuple[str, ...]:
    """Return the aspects that a reply names, one a line or between commas: `most` of them at most.

    Where it names fewer than `least`, the first of those that are known make up for them.
    """
    parts = [re.sub(r"^[\s\d.)*-]+|[\s.*]+$", "", part).lower() for part in re.split(r"[\n,;]", reply)]
    named = [p for p in dict.fromkeys(parts) if p and len(p.split()) <= 4]
    missing = [k for k in known if k not in named][: max(0, least - len(named))]
    return tuple([*named, *missing][:most])


def scores(reply: str, aspects: Sequence[str]) -> dict[str, float]:
    """Return the score of each aspect that a judgement gives, as lines `aspect: score`; of several the last."""
    found = {name.strip().lower(): float(number) for name, number in LINE.findall(reply)}
    return {a: found[a] for a in aspects if a in found and LOW <= found[a] <= HIGH}


def reward(given: Mapping[str, float]) -> float | None:
    """Return the mean of the scores; None without any."""
    return fmean(given.values()) if given else None
