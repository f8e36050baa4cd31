"""Big-Math: A Large-Scale, High-Quality Math Dataset for Reinforcement Learning (Albalak et al., 2025): its filters.

They leave out questions whose answers cannot be verified, or are guessed too well.

Each filter looks at one question and its answer alone, so that their order does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from posttrain.data.dataset import Dataset
from posttrain.errors import DataError, suggestion
from posttrain.records import Prompt
from posttrain.turns import last_message

_OPTION = re.compile(r"(?:^|[\s(*])([A-E])(?:[).:]|\*\*)(?=\s|\S)", re.MULTILINE)
_PART = re.compile(r"(?:^|\s)\(?(?:([a-d])|(i{1,3}|iv)|([1-4]))\)\s", re.MULTILINE)
_PROOF = re.compile(r"\b(?:prove|proof|proved|show)\b(?=\s+(?:that|of|the)\b)|\bprove\b", re.IGNORECASE)
_LINK = re.compile(r"https?://|\bwww\.|!\[[^\]]*\]\(", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
LATIN = 0.8  # least share of a question's letters that are those of English


def _multiple_choice(question: str, _answer: str) -> bool:
    """A and B, and C where there is more, in this order."""
    labels = [match[1] for match in _OPTION.finditer(question)]
    first = [labels.index(letter) if letter in labels else -1 for letter in "ABC"]
    return 0 <= first[0] < first[1] and (first[2] < 0 or first[1] < first[2]) and len(set(labels)) > 2


def _multi_part(question: str, _answer: str) -> bool:
    """Two parts in a row: (a) and (b), i) and ii), 1) and 2)."""
    parts = {part for match in _PART.finditer(question) for part in match.groups() if part}
    return {"a", "b"} <= parts or {"i", "ii"} <= parts or {"1", "2"} <= parts


def _said(*words: str) -> Callable[[str, str], bool]:
    return lambda _question, answer: answer.strip().strip(".").lower() in words


FILTERS: Mapping[str, Callable[[str, str], bool]] = {
    "multiple_choice": _multiple_choice,
    "multi_part": _multi_part,
    "yes_no": _said("yes", "no"),
    "true_false": _said("true", "false"),
    "proof": lambda question, _answer: _PROOF.search(question) is not None,
    "link": lambda question, _answer: _LINK.search(question) is not None,
    "not_english": lambda question, _answer: not _english(question),
    "no_answer": lambda _question, answer: not answer.strip() or answer.count("{") != answer.count("}"),
}


def _english(question: str) -> bool:
    letters = _LETTER.findall(question)
    return len([x for x in letters if x.isascii()]) >= LATIN * len(letters)


def caught(prompt: Prompt, names: Sequence[str]) -> list[str]:
    """Return the names of those filters that leave this prompt out."""
    question, answer = last_message(prompt.prompt), prompt.columns.get("answer")
    return [name for name in names if FILTERS[name](question, "" if answer is None else str(answer))]


def without(data: Dataset, names: Sequence[str]) -> Dataset:
    """Leave out the prompts that a filter catches, with a notice that counts them. Raises DataError."""
    if unknown := [name for name in names if name not in FILTERS]:
        known = ", ".join(FILTERS)
        raise DataError(f"{data.name}: no filter {unknown[0]!r}{suggestion(unknown[0], FILTERS)}; filters {known}")
    found = {r.id: caught(r, names) if isinstance(r, Prompt) else None for r in data}
    if None in found.values():
        raise DataError(f"{data.name}: filters look at questions and their answers; these records are no prompts")
    for r in data:
        for name in found[r.id] or ():
            data.notices.add(f"the filter {name} leaves it out", r.where)
    kept = data.only([i for i, caught_by in found.items() if not caught_by])
    if not kept:
        raise DataError(f"{data.name}: the filters {', '.join(names)} leave nothing; remove some")
    lines = [f"{r.where}: left out by the filter {', '.join(by)}" for r in data if (by := found[r.id])]
    return replace(kept, dropped=(*kept.dropped, *lines))
