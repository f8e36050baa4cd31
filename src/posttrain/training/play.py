"""An episode that is being played: what was said, which tokens the policy read and wrote, and what ended it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from posttrain.core.method import Sampling
from posttrain.data.chat.continuation import followed
from posttrain.environments.environment import Action, Outcome
from posttrain.environments.tools.described import with_results, with_tools
from posttrain.environments.tools.find import Writing, writing_of
from posttrain.environments.tools.parse import parse
from posttrain.environments.tools.turn import messages_of
from posttrain.environments.wire import Opening
from posttrain.records import Episode, Message, Prompt, Segment
from posttrain.sampling.request import Completion, Request
from posttrain.training.beginning import beginning, text_behind
from posttrain.training.episodes import Key, Names, request
from posttrain.training.run import Run

TURNS, TOKENS = "turns", "tokens"  # what cuts an episode that is not over


@dataclass(frozen=True)
class Limits:
    """The most turns of an episode, tokens of a turn, tokens behind the prompt, and tokens of a row."""

    turns: int
    turn_tokens: int
    tokens: int
    row: int


@dataclass
class Play:
    """One episode. `read` are the tokens that the next turn is sampled after; `over`: nothing more will be written."""

    run: Run
    prompt: Prompt
    key: Key
    names: Names
    sampling: Sampling
    limits: Limits
    conversation: list[Message] = field(default_factory=list)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    prompt_tokens: tuple[int, ...] = ()
    read: tuple[int, ...] = ()
    rewritten: bool = False  # whether `read` is other tokens than those before it, in which a row begins
    segments: list[Segment] = field(default_factory=list)
    infos: list[Mapping[str, Any]] = field(default_factory=list)
    tools: tuple[Mapping[str, Any], ...] = ()
    writing: Writing | None = None  # how the policy writes calls, where there are tools
    turns: int = 0
    over: bool = False
    cut: str = ""
    error: str = ""

    @property
    def seed(self) -> int:
        """The seed of the environment."""
        return self.run.seed("environment", *self.names, self.prompt.id, *self.key)

    # ---- what the environment says

    def open(self, opening: Opening) -> None:
        """Begin with what the environment begins with. Raises DataError for a conversation without room behind it."""
        self.conversation, self.arguments, self.tools = list(opening.messages), self.prompt.arguments, opening.tools
        if self.tools:
            self.writing = writing_of(self.run.encoder.template)
            self.conversation = with_tools(self.writing, opening.messages, self.tools)
            others = {name: value for name, value in self.arguments.items() if name != "tools"}
            self.arguments = {**others, "tools": list(self.tools)} if self.writing.tools else others
        self.prompt_tokens = self.read = self._rendered()

    def answer(self, action: Action, outcome: Outcome) -> None:
        """Append what the environment answered, unless the episode is over."""
        turn = self.segments[-1]
        self.segments[-1] = replace(turn, reward=outcome.reward)
        self.infos.append(outcome.info)
        message, *_ = forms = messages_of(action)
        if outcome.done or self.turns == self.limits.turns:
            self.conversation += [message, *outcome.messages]
            self._end("" if outcome.done else TURNS)
            return
        answers = with_results(self.writing, outcome.messages) if self.writing else outcome.messages
        sampled = self.run.begin + turn.tokens
        said = followed(self.run.encoder, self.conversation, forms, answers, self.arguments, sampled=sampled)
        self.conversation += [said.message, *answers]
        self._append(said.tokens)

    def fail(self, error: str) -> None:
        """End an episode that the environment could not go on with."""
        self.over, self.error = True, error

    def _append(self, tokens: tuple[int, ...] | None) -> None:
        """Append the tokens of messages, or begin a row where the template writes earlier turns otherwise (None)."""
        if tokens is None:
            read, added = self._rendered(room=0), 0
        else:
            read, added = self.read + tokens, len(tokens)
        if len(read) >= self.limits.row or self._written + added >= self.limits.tokens:
            self._end(TOKENS)
            return
        self.read, self.rewritten = read, tokens is None
        if tokens is not None:
            text = self.run.encoder.tokenizer.decode(list(tokens), skip_special_tokens=False)
            self.segments.append(Segment(tokens, None, None, text, trained=False))

    def _rendered(self, room: int = 1) -> tuple[int, ...]:
        """The tokens of the conversation so far."""
        asked = Prompt(self.prompt.id, tuple(self.conversation), where=self.prompt.where, arguments=self.arguments)
        return self.run.encoder.prompt(asked, room)

    def _end(self, cut: str) -> None:
        self.over, self.cut = True, cut

    # ---- what the policy writes

    def request(self) -> Request:
        """Return the request for the next turn."""
        room = min(self.limits.row - len(self.read), self.limits.tokens - self._written, self.limits.turn_tokens)
        made = request(
            self.run, self.prompt, self.read, self.sampling, self.names, self.key, turn=self.turns, max_tokens=room
        )
        return replace(made, keep=self.turns + 1 < self.limits.turns)

    def write(self, completion: Completion) -> Action:
        """Append a turn of the policy, and return what it did."""
        forced, author = beginning(self.run.encoder, self.run.begin, self.key[0]), self.key[0]
        text = text_behind(self.run.encoder, self.run.begin, completion.tokens)
        turn = Segment(completion.tokens, completion.logp, author, text, completion.ended, versions=completion.versions)
        first, *rest = (*forced, turn)
        self.segments += [replace(first, context=self.read if self.rewritten else None), *rest]
        self.read, self.rewritten = self.read + self.run.begin + completion.tokens, False
        self.turns += 1
        return self._action("".join(s.text for s in forced) + text, ended=completion.ended)

    def _action(self, text: str, *, ended: bool) -> Action:
        """Read the calls of a turn, where there are tools."""
        if self.writing is None:
            return Action(text, content=text, ended=ended)
        form, thinking = self.writing.form, self.writing.thinking
        return parse(text, form, self.tools, turn=self.turns - 1, thinking=thinking, ended=ended)

    @property
    def _written(self) -> int:
        return sum(len(s.tokens) for s in self.segments)

    # ---- the record

    def episode(self) -> Episode:
        """Return the episode, which is over."""
        author, sample = self.key
        notes = {"environment": [dict(info) for info in self.infos]} if any(self.infos) else {}
        return Episode(
            self.prompt,
            author,
            sample,
            self.prompt_tokens,
            tuple(self.segments),
            notes=notes,
            conversation=tuple(self.conversation),
            tools=self.tools if self.writing and self.writing.tools else (),
            cut=self.cut,
            error=self.error,
        )
