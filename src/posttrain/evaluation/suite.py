"""Suites: fixed questions, how they are asked, and what is made of the answers.

A suite is a file of `evaluation/suites/`, or one of yours, with a function of its own name:

    def mine(*, size: int = 100) -> Suite

Its keyword-only parameters are the settings of the suite. Questions are messages; a model without a chat template
reads them as plain text. A question that ends with words of the assistant begins the answer, which goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from posttrain.errors import DataError
from posttrain.records import Demonstration, Message, Prompt, Turns
from posttrain.turns import conversation

R = TypeVar("R", Prompt, Demonstration)


@dataclass(frozen=True)
class Reply:
    """One reply of a model.

    `asked`: what it replied to. `answer`: what was read out of the text, None where nothing could be. `ended`: whether
    it stopped by itself. `logp`: the log-probs of its tokens as they were drawn. `read`: the number of tokens before
    it. `probabilities`: of the options of the question, where these are compared and nothing is written.
    """

    asked: Turns
    text: str
    answer: str | None = None
    ended: bool = True
    logp: tuple[float, ...] = ()
    read: int = 0
    probabilities: tuple[float, ...] = ()


@dataclass(frozen=True)
class Item:
    """A question with the replies of one sample, in order: several where the suite goes on asking.

    `verdicts`: what a judge replied to each question about it, None where the judge could not be read.
    """

    prompt: Prompt
    sample: int = 0
    replies: tuple[Reply, ...] = ()
    verdicts: tuple[str | None, ...] = ()

    @property
    def text(self) -> str:
        """The last reply."""
        return self.replies[-1].text

    @property
    def answer(self) -> str | None:
        """What was read out of the last reply."""
        return self.replies[-1].answer

    @property
    def verdict(self) -> str | None:
        """What a judge replied to the only question about it, None likewise."""
        return self.verdicts[0] if self.verdicts else None

    @property
    def conversation(self) -> tuple[Message, ...]:
        """What was asked last, with the reply behind it."""
        return conversation(self.replies[-1].asked, self.replies[-1].text)

    def __getitem__(self, column: str) -> Any:
        """Return a column of the question."""
        return self.prompt.columns[column]


Metric = Callable[[Item], float | None]
Whole = Callable[[Sequence[Item]], float | None]


@dataclass(frozen=True)
class Contrast:
    """The effect of a treatment: the metrics of questions with one value of a column, less those with another.

    `by`: the column that says which questions belong together, so that each is compared with itself; None compares two
    sets of questions that have nothing to do with each other.
    """

    name: str
    column: str
    treated: Any
    control: Any
    by: str | None = "item"


@dataclass(frozen=True)
class Judging:
    """What a judge is asked about an item, once or more often, and the words one of which it must reply with."""

    questions: Callable[[Item], Sequence[str]]
    options: tuple[str, ...]


def as_written(prompt: Prompt) -> Turns:
    """Ask a question as it is written."""
    return prompt.prompt


def stripped(text: str) -> str | None:
    """Read the whole reply without the white space around it; an empty one is no answer."""
    return text.strip() or None


@dataclass(frozen=True)
class Suite:
    """Fixed questions, how they are asked, and what is made of the answers.

    `metrics`: one number for each item, None where it has none; their means have intervals over questions.
    `per_question`: one number for all samples of a question, likewise. `wholes`: one number for all items together,
    with an interval by the jackknife. `extract`: reads the answer out of a reply. `ask`: the transform of a question.
    `follow`: what each item is asked next, None for one that is over; it is called until `turns` replies are there.
    `options`: the column with the options of each question, whose probabilities are compared in place of writing.
    `plain`: questions are plain text, also where the model has a chat template. `groups`: columns by whose values the
    metrics are reported apart.
    """

    prompts: Sequence[Prompt]
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    per_question: Mapping[str, Whole] = field(default_factory=dict)
    wholes: Mapping[str, Whole] = field(default_factory=dict)
    extract: Callable[[str], str | None] = stripped
    ask: Callable[[Prompt], Turns] = as_written
    follow: Callable[[Sequence[Item]], Sequence[Turns | None]] | None = None
    turns: int = 1
    samples: int = 1
    temperature: float = 0.0
    max_tokens: int = 64
    options: str = ""
    plain: bool = False
    groups: tuple[str, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    judge: Judging | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all its metrics."""
        return (*self.metrics, *self.per_question, *self.wholes)


def user(text: str) -> tuple[Message, ...]:
    """Return a conversation of one message of the user."""
    return ({"role": "user", "content": text},)


def continued(item: Item, text: str) -> tuple[Message, ...]:
    """Return the conversation of an item with one more message of the user."""
    return (*item.conversation, {"role": "user", "content": text})


def having(records: Iterable[R], columns: Sequence[str]) -> list[R]:
    """Return all records. Raises DataError for the first that lacks a column, before a model is asked anything."""
    found = list(records)
    for r in found:
        if lacking := next((c for c in columns if r.columns.get(c) is None), None):
            known = ", ".join(n for n, x in r.columns.items() if x is not None) or "none"
            raise DataError(f"{r.where}: the suite reads the column {lacking!r}, which is missing; columns {known}")
    return found
