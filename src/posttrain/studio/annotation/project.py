"""A project: what people are asked about each item, and how."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from posttrain.errors import ConfigError, suggestion
from posttrain.seeds import seed_for

KINDS = {  # of judgements, with the least number of answers that an item needs
    "pair": 2,
    "ranking": 2,
    "rating": 1,
    "spans": 1,
    "edit": 1,
    "demonstration": 0,
}
LONGEST = 20_000  # characters of the instructions
BOUNDS = {"overlap": (1, 50), "minutes": (1, 1440), "strengths": (1, 5), "low": (-100, 100), "high": (-100, 100)}


@dataclass(frozen=True)
class Project:
    """What annotators see and do.

    Settings:
        name: what it is called; up to 100 characters.
        kind: the judgement, one of KINDS.
        instructions: text with examples that stands above every item; at most 20,000 characters.
        question: what is asked; up to 200 characters.
        attributes: what ratings are about (helpfulness, ...), or the one thing a preference is about; any number.
        categories: of spans; any number.
        low, high: ends of the scale of ratings; -100 to 100.
        strengths: how many degrees "better" has; 1 to 5.
        overlap: how many people judge each item; 1 to 50.
        minutes: how long an item stays reserved for who opened it; 1 to 1440.
        gold_every: every how many items comes one whose right judgement is known; 0 for none, 2 to 100.
        seed: of the order in which answers are shown; any whole number.
    """

    name: str
    kind: str = "pair"
    instructions: str = ""
    question: str = ""
    attributes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    low: int = 1
    high: int = 5
    strengths: int = 3
    overlap: int = 1
    minutes: int = 15
    gold_every: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"kind {self.kind!r}: one of {', '.join(KINDS)}{suggestion(self.kind, KINDS)}")
        if not (self.name.strip() and len(self.name) <= 100):
            raise ConfigError("a project needs a name of up to 100 characters")
        if len(self.instructions) > LONGEST or len(self.question) > 200:
            raise ConfigError(f"instructions may have {LONGEST:,} characters, a question 200")
        for name, (least, most) in BOUNDS.items():
            if not least <= getattr(self, name) <= most:
                raise ConfigError(f"{name} must be from {least} to {most}, not {getattr(self, name)}")
        if self.low >= self.high or self.high - self.low > 20:
            raise ConfigError(f"a scale from {self.low} to {self.high} has not 2 to 21 degrees")
        if self.gold_every and not 2 <= self.gold_every <= 100:
            raise ConfigError(f"gold_every must be 0 or from 2 to 100, not {self.gold_every}")
        if self.kind == "pair" and len(self.attributes) > 1:
            raise ConfigError("a preference is about one attribute: make a project for each, or ask for ratings")

    @property
    def version(self) -> str:
        """What annotators were told, as a hash that each act records."""
        return f"{seed_for(self.question, self.instructions):014x}"

    def text(self) -> str:
        """Return the settings as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def of(cls, text: str) -> Project:
        """Read what `text` wrote."""
        known: dict[str, Any] = json.loads(text)
        known |= {name: tuple(known[name]) for name in ("attributes", "categories")}
        return cls(**known)
