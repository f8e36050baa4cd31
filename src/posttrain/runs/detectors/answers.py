"""Detectors that read the answers of samples files: rows as runs/samples.py writes them, in the order of the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from posttrain.runs.detectors.finding import Finding

Rows = Sequence[Mapping[str, Any]]
Detector = Callable[[Rows], Finding | None]
WORDS = 4  # of an n-gram
LEAST = 8  # n-grams below which a text is too short to repeat itself
SHARE = 0.2  # of the answers from which it is a finding
SHOWN = 5  # answers that are named


def repetition(rows: Rows) -> Finding | None:
    """A fifth of the answers say most of what they say twice."""
    found = [(n, row) for n, row in enumerate(rows) if repeated(text(row)) > 0.5]
    if len(found) < SHARE * len(rows) or not found:
        return None
    says = f"in {len(found)} of {len(rows)} answers more than half of the {WORDS}-grams are repeated"
    remedy = (
        "take points off for repeated n-grams, lower the learning rate, or raise the KL; the entropy shows since when"
    )
    return Finding("repetition", says, remedy, answers=places(found))


def repeated(words: str) -> float:
    """Return the share of a text's n-grams that have occurred in it before; 0 for a short text."""
    split = words.split()
    grams = [tuple(split[n : n + WORDS]) for n in range(len(split) - WORDS + 1)]
    return 1 - len(set(grams)) / len(grams) if len(grams) >= LEAST else 0.0


def same_answer(rows: Rows) -> Finding | None:
    """One and the same answer is given to a fifth of the prompts, and is rewarded at least as well as the others."""
    known = [(n, row) for n, row in enumerate(rows) if isinstance(row.get("reward"), int | float)]
    by_text: dict[str, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
    for n, row in known:
        by_text[text(row).strip()].append((n, row))
    prompts = {str(row.get("prompt_id")) for _, row in known}
    for said, own in sorted(by_text.items(), key=lambda pair: -len(pair[1])):
        asked = {str(row.get("prompt_id")) for _, row in own}
        others = [row["reward"] for _, row in known if text(row).strip() != said]
        well = not others or fmean(row["reward"] for _, row in own) >= fmean(others)
        if len(asked) >= max(3, SHARE * len(prompts)) and well:
            shown = said[:60] or "nothing at all"
            says = f"the answer {shown!r} is given to {len(asked)} of {len(prompts)} prompts, and no other pays better"
            remedy = "give this answer to the reward by hand: a trivial answer must not be worth as much as a good one"
            return Finding("one answer for all", says, remedy, answers=places(own))
    return None


def text(row: Mapping[str, Any]) -> str:
    """Return what an answer says."""
    return str(row.get("completion") or "")


def places(found: Iterable[tuple[int, Mapping[str, Any]]]) -> tuple[tuple[int, int], ...]:
    """Return step and place of the first of some answers."""
    return tuple((int(row.get("step", 0)), n) for n, row in found)[:SHOWN]


DETECTORS: tuple[Detector, ...] = (repetition, same_answer)
