"""Who is asked for help: a language model, or a script of stated accuracy that stands in for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from posttrain.errors import ConfigError
from posttrain.seeds import seed_for


@dataclass(frozen=True)
class Question:
    """A question. `options`: the answers that it offers; without any the answer is free text.

    `truth` is what a speaker that is right says (an option, or a text), `wrong` what one that errs may say; only the
    scripted speaker reads these two, and a model never sees them. `draw` is for free text: 0 is the likeliest reply,
    each other number another one, drawn at temperature 1.
    """

    text: str
    options: tuple[str, ...] = ()
    truth: str | None = None
    wrong: tuple[str, ...] = ()
    draw: int = 0


class Speaker(Protocol):
    """Somebody who is asked."""

    def answer(self, questions: Sequence[Question]) -> list[str | None]:
        """Return an option or a text for each question; None where the reply could not be read. It is no score."""

    def probabilities(self, questions: Sequence[Question]) -> list[tuple[float, ...] | None]:
        """Return the probability of each option of each question."""


class Scripted(Speaker):
    """A speaker that says the truth with a stated probability, else one of the others.

    What it says derives from the text of the question: the same question gets the same answer, right or wrong.
    """

    def __init__(self, accuracy: float, seed: int = 0) -> None:
        self.accuracy, self.seed = accuracy, seed

    def answer(self, questions: Sequence[Question]) -> list[str | None]:
        return [self._said(question) for question in questions]

    def probabilities(self, questions: Sequence[Question]) -> list[tuple[float, ...] | None]:
        """Return `accuracy` for the option that it says, and the rest in equal parts for the others."""
        return [self._spread(question, self._said(question)) for question in questions]

    def _said(self, question: Question) -> str:
        if question.truth is None:
            raise ConfigError(
                f"a scripted speaker cannot answer {question.text[:80]!r}: nothing says what the truth is; "
                "name a model or an endpoint as the speaker"
            )
        names = (question.text, question.draw) if question.draw else (question.text,)
        chance = Random(seed_for(self.seed, "scripted", *names))  # noqa: S311
        others = [o for o in question.wrong or question.options if o != question.truth]
        return question.truth if chance.random() < self.accuracy or not others else chance.choice(others)

    def _spread(self, question: Question, said: str) -> tuple[float, ...]:
        rest = len(question.options) - 1
        high = self.accuracy if rest else 1.0
        return tuple(high if option == said else (1 - high) / rest for option in question.options)
