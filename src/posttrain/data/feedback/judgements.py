"""What one person said in one act: a judgement, of one of these types (read in read_judgement.py).

Answers are named by their place in `answers` of the act, whatever the order they were shown in. `attribute` names what
was judged (helpfulness, safety, ...); "" is the answer as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNDECIDED = ("tie", "both_bad", "both_good")
SIGNALS = {  # what a user did with an answer: whether that speaks for it; None: it says nothing by itself
    **dict.fromkeys(("accepted", "copied", "shared", "saved", "thumbs_up", "clicked"), True),
    **dict.fromkeys(("regenerated", "complained", "thumbs_down", "discarded", "stopped"), False),
    **dict.fromkeys(("abandoned", "dwell", "shown", "edited"), None),
}


@dataclass(frozen=True)
class Preference:
    """One of several answers is preferred; None: they are equally good, both bad or both good (`undecided`).

    `strength`: how much better it is, 1 slightly. `confidence`: probability that the annotator gives to the judgement.
    """

    preferred: int | None
    undecided: str = ""
    strength: float | None = None
    confidence: float | None = None
    attribute: str = ""


@dataclass(frozen=True)
class Ranking:
    """Answers in order, the best first. Answers in one tier are equally good."""

    tiers: tuple[tuple[int, ...], ...]
    attribute: str = ""


@dataclass(frozen=True)
class Rating:
    """Scores of one answer by attribute, on a scale from `low` to `high`, where it is known."""

    answer: int
    scores: Mapping[str, float]
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Label:
    """A thumb up (true) or down for one answer."""

    answer: int
    label: bool


@dataclass(frozen=True)
class Mark:
    """A part of an answer, from the character `start` up to, not including, `end`."""

    start: int
    end: int
    category: str = ""
    severity: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Spans:
    """Parts of one answer that are wrong, or good; no marks say that there are none."""

    answer: int
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Safety:
    """Whether one answer is safe; `categories` of harm where it is not."""

    answer: int
    safe: bool
    categories: tuple[str, ...] = ()
    severity: float | None = None


@dataclass(frozen=True)
class Edit:
    """What a person made of one answer: text, or messages."""

    answer: int
    edited: Any


@dataclass(frozen=True)
class Demonstration:
    """An answer that a person wrote: text, or messages."""

    written: Any


@dataclass(frozen=True)
class Critique:
    """Words about one answer, or (None) about all of them."""

    text: str
    answer: int | None = None


@dataclass(frozen=True)
class Signal:
    """What a user did with an answer, one of SIGNALS. `value`: seconds, characters, ... of it."""

    answer: int
    signal: str
    value: float | None = None


@dataclass(frozen=True)
class KeyPoints:
    """Places in one answer that decide about it: characters of a text, or steps of an episode (Uni-RLHF)."""

    answer: int
    points: tuple[int, ...]


@dataclass(frozen=True)
class Region:
    """A rectangle of an image, in pixels from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    category: str = ""


@dataclass(frozen=True)
class Regions:
    """Parts of an image that decide about one answer (Uni-RLHF's visual feedback)."""

    answer: int
    regions: tuple[Region, ...]


@dataclass(frozen=True)
class Skip:
    """The annotator did not judge."""

    why: str = ""


Judgement = (
    Preference | Ranking | Rating | Label | Spans | Safety | Edit | Demonstration | Critique | Signal
    | KeyPoints | Regions | Skip
)  # fmt: skip


def type_of(judgement: Judgement) -> str:
    """Return the name of the type: "preference", "key_points", ..."""
    name = type(judgement).__name__
    return "key_points" if name == "KeyPoints" else name.lower()
