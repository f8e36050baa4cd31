"""A session without any model, for procedures that train small learners: a script speaks, and what is kept is text.

Use it through tests/procedures/transcripts/learning.py. A long artefact is shown by its length and a digest of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from posttrain.learners.speaker import Question, Scripted, Speaker
from posttrain.search.evolution.archive import Archive
from posttrain.search.evolution.budget import Budget
from posttrain.search.evolution.course import Strategy
from posttrain.search.evolution.driver import Evaluate, Evolution, Write, no_match
from posttrain.seeds import seed_for
from tests.harness.scripted_session import as_text

SHOWN = 300  # characters of an artefact that are compared as they are


class LearningSession:
    """The verbs `speaker`, `artefact`, `note` and `seed`. `accuracy`: of every speaker, or of each by its role.

    `says`: what a speaker answers in free text, by its role and the question, in place of a script.
    `joined`: questions of one kind that follow one another share a line.
    """

    def __init__(
        self,
        accuracy: float | dict[str, float] = 1.0,
        *,
        says: Callable[[str, str], str | None] | None = None,
        joined: bool = False,
    ) -> None:
        self.accuracy = accuracy
        self.says = says
        self.joined = joined
        self.transcript: list[str] = []
        self.artefacts: dict[str, Any] = {}
        file = SimpleNamespace(base=Path(), models={}, sampling=SimpleNamespace(max_tokens=64))
        self.run = SimpleNamespace(file=file, journal=SimpleNamespace(folder=None))

    def speaker(self, role: str = "speaker") -> Speaker:
        accuracy = self.accuracy[role] if isinstance(self.accuracy, dict) else self.accuracy
        return _Heard(Scripted(accuracy, 0), role, self)

    def seed(self, *names: Any) -> int:
        return seed_for(0, *names)

    def note(self, text: str) -> None:
        self.transcript.append(f"note {text}")

    def artefact(self, name: str, content: Any) -> None:
        self.artefacts[name] = content
        text = json.dumps(_rounded(content), ensure_ascii=False)
        digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
        self.transcript.append(f"artefact {name}: {text if len(text) <= SHOWN else f'{len(text)} {digest}'}")

    def evolve(self, name: str, strategy: Strategy, write: Write, evaluate: Evaluate, **how: Any) -> Archive:
        """Search without keeping anything; `how` as in training.evolving.evolved."""
        given, compare, budget = how.pop("given", ()), how.pop("compare", no_match), how.pop("budget", None)
        assert not how
        archive = Evolution(write, evaluate, compare, budget or Budget()).run(strategy, given)
        states = json.dumps(_rounded(archive.state()))
        digest = hashlib.blake2b(states.encode(), digest_size=4).hexdigest()
        self.transcript.append(f"evolve {name}: {len(archive)} in {archive.rounds} {digest}")
        return archive


class _Heard(Speaker):
    """A speaker whose questions leave a line."""

    def __init__(self, speaker: Speaker, role: str, session: LearningSession) -> None:
        self.speaker, self.role, self.session = speaker, role, session

    def answer(self, questions: Sequence[Question]) -> list[str | None]:
        says = self.session.says
        free = says is not None and questions and not questions[0].options
        said = [says(self.role, q.text) for q in questions] if says and free else self.speaker.answer(questions)
        self._line("answer", questions, said)
        return said

    def probabilities(self, questions: Sequence[Question]) -> list[tuple[float, ...] | None]:
        said = self.speaker.probabilities(questions)
        self._line("probabilities", questions, said)
        return said

    def _line(self, verb: str, questions: Sequence[Question], said: Sequence[Any]) -> None:
        pairs = [[q.text, s] for q, s in zip(questions, said, strict=True)]
        head, lines, before, count = f"{verb} {self.role}: ", self.session.transcript, "", len(questions)
        if self.session.joined and lines and lines[-1].startswith(head):
            asked, before = lines.pop().removeprefix(head).split()
            count += int(asked)
        digest = hashlib.blake2b((before + json.dumps(_rounded(pairs))).encode(), digest_size=4).hexdigest()
        lines.append(f"{head}{count} {digest}")


def ending(metrics: Any) -> str:
    return f"return {as_text(metrics)}"


def _rounded(content: Any) -> Any:
    if isinstance(content, float):
        return float(f"{content:.6g}")
    if isinstance(content, dict):
        return {str(k): _rounded(x) for k, x in content.items()}
    return [_rounded(x) for x in content] if isinstance(content, list | tuple) else content
