"""Plain records of the data: readers produce them, encoders turn them into rows of tokens.

`Turns` is either plain text or a conversation. Every record knows where it came from (`where`), so that any later error
can name the file and the line. `arguments` of a record are what its chat template reads besides the messages: `tools`,
`documents`, and the settings of `chat_template_kwargs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Message = Mapping[str, Any]  # role, content, and other keys that the chat template reads; TRAINED is ours
TRAINED = "trained"  # key of a message of the assistant; false where no loss may use it
Turns = str | tuple[Message, ...]


@dataclass(frozen=True)
class Sampled:
    """An answer as the tokens that a model sampled; encoding its text again might give other tokens.

    The first `read` of them are read and no loss uses them: the steps before the one that a record is about. Of an
    episode, `asked` are the tokens of its prompt, as the environment began it, and `written` says which tokens behind
    them the model wrote.
    """

    tokens: tuple[int, ...]
    text: str = ""
    read: int = 0
    asked: tuple[int, ...] = ()
    written: tuple[bool, ...] = ()


Answer = Turns | Sampled


@dataclass(frozen=True)
class Prompt:
    """A prompt to sample answers to. `columns` (answer, tests, level, ...) are passed to reward functions by name."""

    id: int
    prompt: Turns
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Demonstration:
    """A prompt and its completion.

    With an empty prompt, `completion` is a whole text, of which every token is trained, or a whole conversation, of
    which the assistant's turns are trained.
    """

    id: int
    prompt: Turns
    completion: Answer
    where: str = ""
    columns: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt, the preferred one first. `columns` may hold margins, scores, annotators."""

    id: int
    prompt: Turns
    chosen: Answer
    rejected: Answer
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rating:
    """One answer with a thumbs up (`label` true) or down."""

    id: int
    prompt: Turns
    completion: Answer
    label: bool
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ranking:
    """Several answers to one prompt, best first. `columns` may hold lists with one number per answer."""

    id: int
    prompt: Turns
    completions: tuple[Answer, ...]
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Numbers(tuple[float, ...]):
    """Several numbers of one row, such as its attributes; NaN is a label that is missing."""

    __slots__ = ()


@dataclass(frozen=True)
class Candidates:
    """Several answers to one prompt, each right or wrong (`correct`), from which a reward model takes the best."""

    id: int
    prompt: Turns
    completions: tuple[Answer, ...]
    correct: tuple[bool, ...]
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Steps:
    """A solution in steps. `labels`: for each the probability that it is right, or None where nobody says."""

    id: int
    prompt: Turns
    steps: tuple[str, ...]
    labels: tuple[float | None, ...]
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


Record = Prompt | Demonstration | Pair | Rating | Ranking | Candidates | Steps


@dataclass(frozen=True)
class Row:
    """One sequence of tokens, ready for a batch.

    `trained` marks the tokens that the loss may use, `written` those that a model (or a demonstrator) wrote, trained or
    not: an opponent's answer is written but not trained, a tool's output is neither. `columns` are tensors of the
    vocabulary: one number per row, `Numbers` of the row, or a sequence with one number per token. `answer`: id of the
    answer of which the row is a part; None where it is a whole one.
    """

    id: int
    tokens: tuple[int, ...]
    trained: tuple[bool, ...]
    written: tuple[bool, ...]
    columns: Mapping[str, Any] = field(default_factory=dict)
    answer: int | None = None


@dataclass(frozen=True)
class Segment:
    """Consecutive tokens of one author: a turn of a model, or what the environment wrote between two turns.

    `logp`: log-probability of each token under the distribution it was drawn from; None where no model sampled them.
    `author`: the entry of Stream.sampling that wrote them; None for the environment. `versions`: for each token, the
    number of training steps behind the weights that sampled it. `ended`: stopped by itself, not cut at max_tokens.
    `context`: all tokens that a model read before it wrote the segment, where those before the segment are others: the
    chat template wrote earlier turns otherwise. The segment then begins another row.
    """

    tokens: tuple[int, ...]
    logp: tuple[float, ...] | None
    author: int | None = 0
    text: str = ""
    ended: bool = True
    trained: bool = True  # whether a loss may use the tokens
    versions: tuple[int, ...] = ()
    reward: float | None = None  # for this turn
    guided: bool = False  # written by a guide of the author, who wrote the other segment, or forced as its beginning

    def continues(self, before: Segment) -> bool:
        """Whether it belongs to the turn of the segment before it: a guide and its author share a turn."""
        shared = self.author == before.author is not None and (self.guided or before.guided)
        return shared and self.context is None

    context: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Span:
    """A number for a part of a text: the characters from `start` up to, not including, `end`."""

    start: int
    end: int
    value: float


class Spans(tuple[Span, ...]):
    """Numbers for parts of one answer, before they become one for each token; 0 elsewhere."""

    __slots__ = ()


@dataclass(frozen=True)
class Episode:
    """What follows one prompt: the segments of models and environment, in order. A single answer is one segment.

    In an environment, `conversation` holds all messages from the first one on, `tools` the schemas that the chat
    template was given. `cut` says what ended an episode that
    was not over ("turns" or "tokens"), `error` why the environment could not go on: such an episode has no score and
    is never trained on.

    `rewards`: the number of each reward by name, None where it abstained or failed. `shaped`: those that pass through
    transforms, after them. `reward`: their weighted sum, or what else the run file makes of them. `credits`: one number
    per token after the prompt, for rewards that judge turns or spans. `notes`: what rewards logged besides, for people
    to read.
    """

    prompt: Prompt
    author: int  # the entry of Stream.sampling that it belongs to
    sample: int
    prompt_tokens: tuple[int, ...]
    segments: tuple[Segment, ...]
    reward: float | None = None
    rewards: Mapping[str, float | None] = field(default_factory=dict)
    spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)  # of the text, before they become credits
    credits: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    shaped: Mapping[str, float | None] = field(default_factory=dict)
    conversation: tuple[Message, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    cut: str = ""
    error: str = ""

    @classmethod
    def of_answer(
        cls,
        prompt: Prompt,
        author: int,
        sample: int,
        prompt_tokens: tuple[int, ...],
        tokens: tuple[int, ...],
        logp: tuple[float, ...],
        ended: bool,
        text: str = "",
        reward: float | None = None,
        rewards: Mapping[str, float | None] | None = None,
        versions: tuple[int, ...] = (),
    ) -> Episode:
        """Make the episode of one sampled answer: a single segment."""
        segment = Segment(tokens, logp, author, text, ended, versions=versions)
        return cls(prompt, author, sample, prompt_tokens, (segment,), reward, rewards or {})

    @property
    def tokens(self) -> tuple[int, ...]:
        """All tokens after the prompt."""
        return self._joined("tokens")

    @property
    def logp(self) -> tuple[float, ...]:
        """One log-probability for each token after the prompt; 0 for those that no model sampled."""
        if len(self.segments) == 1 and self.segments[0].logp is not None:
            return self.segments[0].logp
        return tuple(x for s in self.segments for x in (s.logp or (0.0,) * len(s.tokens)))

    @property
    def versions(self) -> tuple[int, ...]:
        """The number of training steps behind the weights of each sampled token."""
        return self._joined("versions")

    @property
    def text(self) -> str:
        """The text that models wrote."""
        return "".join(s.text for s in self.segments if s.logp is not None)

    @property
    def ended(self) -> bool:
        """Whether the episode is over and its last segment stopped by itself."""
        return self.segments[-1].ended and not self.cut if self.segments else False

    @property
    def rows(self) -> tuple[tuple[tuple[int, ...], tuple[Segment, ...]], ...]:
        """What a model read first, and the segments behind it: one row, or several where a template rewrites turns."""
        starts = [i for i, s in enumerate(self.segments) if i == 0 or s.context is not None]
        contexts = [self.segments[i].context for i in starts]
        parts = [self.segments[a:b] for a, b in zip(starts, [*starts[1:], len(self.segments)], strict=True)]
        return tuple((self.prompt_tokens if c is None else c, part) for c, part in zip(contexts, parts, strict=True))

    def _joined(self, name: str) -> tuple[int, ...]:
        parts: list[tuple[int, ...]] = [getattr(s, name) for s in self.segments]
        return parts[0] if len(parts) == 1 else tuple(x for part in parts for x in part)
