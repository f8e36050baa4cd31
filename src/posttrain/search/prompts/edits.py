"""TEMPERA: Test-Time Prompting via Reinforcement Learning (Zhang et al., 2022): prompts of parts, and their edits.

A prompt is an instruction in phrases and a few solved examples, in an order, each written by a template. An edit
exchanges two examples (one of them may lie in the pool, outside the prompt), writes one by another template, exchanges
two phrases, or leaves one out and puts it back. Exchanges and phrases undo themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

Kind = Literal["stop", "examples", "template", "phrases", "phrase"]
KINDS: tuple[Kind, ...] = ("stop", "examples", "template", "phrases", "phrase")


@dataclass(frozen=True)
class Edit:
    """An edit of two places: examples or phrases i and j, or example i and template j, or phrase i."""

    kind: Kind = "stop"
    i: int = 0
    j: int = 0


@dataclass(frozen=True)
class FewShot:
    """A prompt. `order`: numbers of all examples of the pool, of which the first `shots` are shown.

    `templates`: number of the template of each example of the pool. `phrases`: their numbers in order; `left_out` are
    not written.
    """

    order: tuple[int, ...]
    shots: int
    templates: tuple[int, ...]
    phrases: tuple[int, ...] = ()
    left_out: frozenset[int] = frozenset()

    @classmethod
    def first(cls, pool: int, shots: int, phrases: int) -> FewShot:
        """Return the prompt that edits begin with: the first examples of the pool, by the first template."""
        return cls(tuple(range(pool)), min(shots, pool), (0,) * pool, tuple(range(phrases)))

    @property
    def shown(self) -> tuple[int, ...]:
        """The examples that the prompt shows, in their order."""
        return self.order[: self.shots]

    def after(self, edit: Edit) -> FewShot:
        """Return the prompt after an edit."""
        match edit.kind:
            case "examples":
                return replace(self, order=exchanged(self.order, edit.i, edit.j))
            case "template":
                place = self.order[edit.i]
                return replace(self, templates=(*self.templates[:place], edit.j, *self.templates[place + 1 :]))
            case "phrases":
                return replace(self, phrases=exchanged(self.phrases, edit.i, edit.j))
            case "phrase":
                return replace(self, left_out=self.left_out ^ {self.phrases[edit.i]})
        return self

    def text(self, examples: Sequence[tuple[str, str]], templates: Sequence[str], phrases: Sequence[str]) -> str:
        """Write the instruction and the examples, each of (question, answer), a line between them."""
        instruction = " ".join(phrases[p] for p in self.phrases if p not in self.left_out)
        shown = [written(templates[self.templates[e]], *examples[e]) for e in self.shown]
        return "".join(f"{part}\n" for part in ([instruction] if instruction else []) + shown)


def edits(pool: int, shots: int, templates: int, phrases: int) -> tuple[Edit, ...]:
    """Return all edits of a prompt of these sizes; the first one ends the episode."""
    shots = min(shots, pool)
    return (
        Edit(),
        *(Edit("examples", i, j) for i in range(shots) for j in range(i + 1, pool)),
        *(Edit("template", i, j) for i in range(shots) for j in range(templates) if templates > 1),
        *(Edit("phrases", i, j) for i, j in combinations(range(phrases), 2)),
        *(Edit("phrase", i) for i in range(phrases)),
    )


def exchanged(items: tuple[int, ...], i: int, j: int) -> tuple[int, ...]:
    """Return the items with those in two places exchanged."""
    changed = list(items)
    changed[i], changed[j] = changed[j], changed[i]
    return tuple(changed)


def written(template: str, question: str, answer: str) -> str:
    """Fill in {question} and {answer}; other braces stay, and a question that holds {answer} keeps it."""
    parts = template.split("{question}")
    return question.join(part.replace("{answer}", answer) for part in parts)
