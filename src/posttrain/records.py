"""What the data says, as plain records: a reader produces them, an encoder turns them into rows of tokens.

`Turns` is either plain text or a conversation. Every record knows where it came from, so that any later error
can name the file and the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Message = Mapping[str, Any]  # role, content, and what the chat template reads besides
Turns = str | tuple[Message, ...]


@dataclass(frozen=True)
class Sampled:
    """An answer as a model wrote it, token by token: read again from its text it might be cut into other tokens."""

    tokens: tuple[int, ...]
    text: str = ""


Answer = Turns | Sampled


@dataclass(frozen=True)
class Prompt:
    """A question to sample answers for. `columns` (answer, tests, level, ...) go to the reward functions by name."""

    id: int
    prompt: Turns
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True)
class Demonstration:
    """A prompt and what should be said. An empty prompt means that `completion` is a whole text or conversation:
    of a text every token is learnt, of a conversation what the assistant says."""

    id: int
    prompt: Turns
    completion: Answer
    where: str = ""
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt, the preferred one first. `columns` may hold margins, scores, annotators."""

    id: int
    prompt: Turns
    chosen: Answer
    rejected: Answer
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True)
class Rating:
    """One answer with a thumbs up or down."""

    id: int
    prompt: Turns
    completion: Answer
    label: bool
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True)
class Ranking:
    """Several answers to one prompt, the best first. `columns` may hold lists with one number for each of them."""

    id: int
    prompt: Turns
    completions: tuple[Answer, ...]
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""


Record = Prompt | Demonstration | Pair | Rating | Ranking


@dataclass(frozen=True)
class Row:
    """One sequence of tokens, ready for a batch.

    `trained` marks the tokens that the loss may use, `written` those that the model (or the demonstrator) wrote,
    trained or not: an opponent's answer is written and not trained, a tool's output is neither. `columns` are
    tensors of the vocabulary: one number per row, or a sequence with one number per token.
    """

    id: int
    tokens: tuple[int, ...]
    trained: tuple[bool, ...]
    written: tuple[bool, ...]
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rollout:
    """One sampled answer. `logp` is the log-probability of each token under the distribution it was drawn from."""

    prompt: Prompt
    author: int  # which entry of Stream.sampling wrote it
    sample: int
    prompt_tokens: tuple[int, ...]
    tokens: tuple[int, ...]
    logp: tuple[float, ...]
    ended: bool  # stopped by itself, not cut by max_tokens
    text: str = ""
    reward: float | None = None
    rewards: Mapping[str, float | None] = field(default_factory=dict)
    versions: tuple[int, ...] = ()  # number of the run's steps before the weights that each token was drawn from


RECORDS: dict[str, type] = {
    "demonstrations": Demonstration,
    "text": Demonstration,
    "pairs": Pair,
    "ratings": Rating,
    "rankings": Ranking,
    "prompts": Prompt,
}


def kind_of(record: Record) -> str:
    """The kind of data that a record is."""
    return next(kind for kind, of in RECORDS.items() if isinstance(record, of))
