"""Questions in both the training and the evaluation data, whole or in part: answers to them measure memorisation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from posttrain.records import Record
from posttrain.turns import all_user_messages, answer_text

LONG = 13  # words in a row that two texts do not share by chance


def overlap(trained: Iterable[Record], evaluated: Iterable[Record]) -> list[Record]:
    """Return the evaluated records whose question is also trained on, ignoring case and white space."""
    known = {question(r) for r in trained} - {""}
    return [r for r in evaluated if question(r) in known]


def repeated(trained: Iterable[Record], evaluated: Iterable[Record], n: int = LONG) -> list[Record]:
    """Return the evaluated records of which a run of n words of the question is also trained on (Brown et al., 2020).

    Prompts and answers of the training count. What several different questions share is their form, and does not count.
    Shorter questions are compared as a whole, by `overlap`.
    """
    asked = [(r, question(r)) for r in evaluated]
    runs = {text: _runs(text, n) for text in dict.fromkeys(text for _, text in asked)}
    shared = Counter(run for own in runs.values() for run in own)
    wanted = {run for run, count in shared.items() if count == 1}
    met: set[tuple[str, ...]] = set()
    for record in trained if wanted else ():
        met |= wanted & _runs(_everything(record), n)
    return [r for r, text in asked if runs[text] & met]


def _runs(text: str, n: int) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}


def _everything(record: Record) -> str:
    """The question, and every answer that the record holds as text."""
    answers = [getattr(record, name, "") for name in ("completion", "chosen", "rejected")]
    answers += [*getattr(record, "completions", ()), *getattr(record, "steps", ())]
    texts = [question(record), *(answer_text(a) for a in answers if a)]
    return " ".join(" ".join(text.casefold().split()) for text in texts)


def question(record: Record) -> str:
    """What the user says, in lower case with single spaces. Without a prompt the completion is a whole conversation."""
    asked = record.prompt or getattr(record, "completion", "")
    return " ".join(all_user_messages(asked).casefold().split())
