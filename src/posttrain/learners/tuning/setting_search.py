"""The search for settings: a speaker proposes, each proposal is tried, and random search is what it must beat."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from posttrain.learners.speaker import Question, Speaker
from posttrain.learners.tuning.space import Space, text_of
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.candidate import Candidate, Evaluated, Proposed
from posttrain.search.evolution.course import Ask
from posttrain.search.evolution.selection import best, distinct
from posttrain.seeds import seed_for

SHOWN = 10  # settings of the past in a prompt
WRONG = 3  # settings that the scripted speaker may propose where it errs

Measure = Callable[
    [Mapping[str, Any], int], float | str
]  # of settings and their number; words where there is no number


@dataclass
class SettingSearch:
    """Settings of something that can be measured; larger is better.

    `about`: what is tuned, in words. `known`: settings that a scripted speaker takes to be the best, one of each; a
    model never sees them. `seed`: of random settings.
    """

    space: Space
    measure: Measure
    speaker: Speaker
    about: str
    seed: int
    known: Mapping[str, Any] = field(default_factory=dict)

    def write(self, asks: Sequence[Ask], archive: Archive) -> Iterator[Proposed]:
        """Ask for settings in view of what was tried."""
        text = self.prompt(archive)
        told = self.known.keys() >= self.space.choices.keys()
        truth = text_of({name: self.known[name] for name in self.space.choices}) if told else None
        wrong = tuple(text_of(self.space.draw(seed_for(self.seed, "wrong", n))) for n in range(WRONG))
        questions = [Question(text, (), truth, wrong, draw=a.number + 1) for a in asks]
        for reply in self.speaker.answer(questions):
            read = self.space.read(reply or "")
            yield Proposed(None, text, read) if isinstance(read, str) else Proposed(text_of(read), text)

    def random(self, asks: Sequence[Ask], archive: Archive) -> Iterator[Proposed]:
        """Draw settings without asking anybody."""
        del archive
        for a in asks:
            yield Proposed(text_of(self.space.draw(seed_for(self.seed, "random", a.number))))

    def evaluate(self, candidates: Sequence[Candidate]) -> Iterator[Evaluated]:
        """Measure what comes of each candidate's settings."""
        for c in candidates:
            found = self.measure(json.loads(c.text or "{}"), c.number)
            yield Evaluated(None, {"problem": found}) if isinstance(found, str) else Evaluated(found)

    def prompt(self, archive: Archive) -> str:
        """Ask for settings: what may be set, and what came of earlier ones, the best last."""
        ranked = best(distinct(archive.candidates), SHOWN)[::-1]
        failed = [c for c in archive.candidates if c.text is not None and not c.works][-SHOWN:]
        past = [f"{c.text} -> {c.value:.4g}" for c in ranked] + [f"{c.text} -> {c.report['problem']}" for c in failed]
        tried = ["Tried so far (the better later, then failures):", *past] if past else []
        wish = "Reply with one JSON object that sets each of them, such that the result becomes larger."
        return "\n".join([f"Tune {self.about}. What can be set:", self.space.describe(), *tried, wish])
