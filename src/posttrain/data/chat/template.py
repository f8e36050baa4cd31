"""Chat templates: a conversation as text, and which characters of that text the assistant wrote."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

from posttrain.data.chat.control import ControlTokens
from posttrain.data.chat.left_out import Written
from posttrain.data.chat.messages import OPENING
from posttrain.data.chat.opened_thought import behind_opening
from posttrain.data.chat.prefix import shared
from posttrain.data.chat.probe import Probe
from posttrain.data.chat.renderer import Renderer
from posttrain.data.chat.turn_marks import TurnMarks
from posttrain.data.notices import Notices
from posttrain.errors import DataError, ModelError
from posttrain.records import TRAINED, Message

REMEMBERED = 256  # renderings: the answers of a pair, and the samples of a prompt, share theirs
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Rendered:
    """A conversation as text; `spans` are the [start, end) of the characters that are trained on."""

    text: str
    spans: tuple[tuple[int, int], ...]


class ChatTemplate:
    """The template of a tokenizer, or `source` in its place. What it leaves out of conversations goes to `notices`.

    `settings` are variables of the template, such as enable_thinking; those of a record come before them. `renderer`:
    one that is shared, and closed by its owner. Without one the template starts its own when it first needs it, and
    `close` ends that.
    """

    def __init__(
        self,
        tokenizer: Any,
        control: ControlTokens,
        source: str | None = None,
        renderer: Renderer | None = None,
        *,
        settings: Mapping[str, Any] = NOTHING,
        notices: Notices | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self.control = control
        own = tokenizer.chat_template  # one, or several by name
        self.named: Mapping[str, str] = own if isinstance(own, Mapping) and not source else {}
        self.source: str | None = source or (own.get("default") if isinstance(own, Mapping) else own)
        self.settings = settings
        self.notices = notices or Notices()
        self._shared = renderer is not None
        self._renderer = renderer or Renderer()
        self.ends: set[str] = set()  # the tokens that end turns, as far as they have been seen
        self._remembered: OrderedDict[str, str] = OrderedDict()
        self._probe = Probe()

    def question(self, prompt: Sequence[Message], arguments: Mapping[str, Any] = NOTHING, where: str = "") -> str:
        """Return the conversation so far, followed by the words that call for the assistant's answer."""
        hidden, settings = self._prepared(prompt, arguments, where)
        text = self._render(hidden, settings, answer_next=True)
        self._check_context(hidden, settings, self._written(text, hidden, settings, answer_next=True), where)
        return text

    def whole(self, conversation: Sequence[Message], arguments: Mapping[str, Any] = NOTHING) -> str:
        """Return a whole conversation, with all that the template writes behind its last message."""
        return self._render(*self._prepared(conversation, arguments, ""), answer_next=False)

    def rows(
        self,
        prompt: Sequence[Message],
        answer: Sequence[Message],
        arguments: Mapping[str, Any] = NOTHING,
        where: str = "",
    ) -> tuple[Rendered | None, list[Rendered]]:
        """Render a conversation with what the assistant wrote after the prompt as its spans.

        Returns the text with all of its answers, None where the template writes earlier turns differently once later
        ones follow; and the texts up to each answer, with that one as their span. A span runs from the words that call
        for the answer to the token that ends the turn; turns behind the last answer are left out.
        """
        wanted = [
            number
            for number, message in enumerate((*prompt, *answer))
            if number >= len(prompt) and message["role"] == "assistant" and message.get(TRAINED, True)
        ]
        conversation, settings = self._prepared([*prompt, *answer], arguments, where)
        turns = [self._turn(conversation, number, settings) for number in wanted]
        if not turns:
            return None, []
        last = turns[-1]
        stable = all(last.text.startswith(turn.text[: turn.spans[0][1]]) for turn in turns)
        written = self._written(last.text, conversation[: wanted[-1] + 1], settings)
        self._check_context(conversation[: wanted[-1]], settings, written, where, trained=wanted)
        return Rendered(last.text, tuple(turn.spans[0] for turn in turns)) if stable else None, turns

    @cached_property
    def marks(self) -> TurnMarks:
        """The special tokens that mark turns; those that begin and end texts where there is no template."""

        def render(conversation: Sequence[Message], answer_next: bool) -> str:
            return self._render(list(conversation), {}, answer_next=answer_next)

        if self.source:
            marks = TurnMarks.of(render, self.control)
            self.ends |= {marks.end} - {""}
            return marks
        return TurnMarks(self.control.ends, "")

    def close(self) -> None:
        """End the process that renders, unless it is shared."""
        if not self._shared:
            self._renderer.close()

    # ---- one answer

    def _turn(self, conversation: list[Any], number: int, settings: Mapping[str, Any]) -> Rendered:
        """Render a conversation up to and including an answer, the message of this number."""
        message = conversation[number]
        asked = self._render(conversation[:number], settings, answer_next=True)
        answered = self._render(conversation[: number + 1], settings, answer_next=False)
        written = self._written(answered, conversation[: number + 1], settings)
        self._check_calls(message, number, written)
        missing = written.missing
        if not answered.startswith(asked):
            answered = behind_opening(asked, answered, message) or self._refuse(
                asked, answered, conversation[: number + 1], settings
            )
            missing -= {("thought", number)}  # the history drops it, the answer has it
        end = self._end(answered, len(asked))
        written = Written(answered[len(asked) :], missing)
        self._check_calls(message, number, written)
        if written.lacks_content(message, number) or written.lacks_thought(message, number):
            raise DataError(
                f"the chat template leaves out words of the assistant's message {number + 1}, so they would not be "
                "trained; set model.chat_template to one that writes them, or remove them from the data"
            )
        return Rendered(answered, ((len(asked), end),))

    def _end(self, answered: str, start: int) -> int:
        """Return where the assistant's turn ends, which begins at `start`: behind the token that ends it."""
        end = self.marks.end
        if end and (place := answered.rfind(end, start)) >= 0:
            return place + len(end)
        turn = answered.rstrip()
        last = next((token for token in self.control.tokens if turn.endswith(token)), None)
        if last is None or len(turn) - len(last) < start:
            raise ModelError(
                f"the chat template ends the assistant's turn with {turn[-20:]!r} and not with a special token, so the "
                "model could not learn to stop; set model.chat_template to one that writes {{ eos_token }} behind the "
                "assistant's content"
            )
        self.ends.add(last)
        return len(turn)

    def _refuse(
        self, before: str, after: str, conversation: Sequence[Message], settings: Mapping[str, Any]
    ) -> NoReturn:
        same = shared(before, after)
        start = max(0, same - 10)
        error = DataError if self.marks.continued else ModelError  # a matter of this conversation, or of every one
        raise error(
            f"the chat template writes message {len(conversation)} otherwise than it calls for it: "
            f"{before[start : same + 30]!r} before the answer, {after[start : same + 30]!r} with it, so the model "
            f"would not see what it was trained on; {', or '.join(_remedies(conversation, settings))}"
        )

    # ---- what the template leaves out

    def _check_context(
        self,
        conversation: Sequence[Message],
        settings: Mapping[str, Any],
        written: Written,
        where: str,
        trained: Sequence[int] = (),
    ) -> None:
        """Raise DataError for a call that the template does not write; note everything else that it leaves out."""
        for number, message in enumerate(conversation):
            role = message["role"]
            self._check_calls(message, number, written)
            if role == "assistant" and number in trained:
                continue
            if written.lacks_content(message, number):
                self.notices.add(f"the chat template leaves out what {role} messages say", where)
            elif written.lacks_thought(message, number):
                self.notices.add("the chat template leaves out the thoughts of earlier turns", where)
        if (tools := settings.get("tools")) and (name := written.missing_tool(tools)):
            self.notices.add(f"the chat template does not write the definition of the tool {name!r}", where)
        if (documents := settings.get("documents")) and written.lacks_document(documents):
            self.notices.add("the chat template does not write the documents", where)

    def _check_calls(self, message: Message, number: int, written: Written) -> None:
        if (call := written.missing_call(message, number)) is not None:
            raise DataError(
                f"the chat template does not write the assistant's call of the tool {call!r}; set model.chat_template "
                "to one that knows tool_calls, or write the calls into 'content' as the model should write them"
            )

    def _written(
        self, text: str, conversation: list[Any], settings: Mapping[str, Any], *, answer_next: bool = False
    ) -> Written:
        """Return what the text of a conversation has written, and the parts that the template leaves out of it."""

        def render(changed: Sequence[Message], others: Mapping[str, Any]) -> str:
            return self._render(list(changed), others, answer_next=answer_next)

        return Written(text, self._probe.missing(conversation, settings, render, answer_next=answer_next))

    # ---- rendering

    def _prepared(
        self, conversation: Sequence[Message], arguments: Mapping[str, Any], where: str
    ) -> tuple[list[Any], dict[str, Any]]:
        """Return messages and settings as the template gets them: without our keys, marks of turns hidden."""
        settings = {**self.settings, **arguments}
        for name in settings:
            if self.source and name not in ("tools", "documents") and name not in self.source:
                self.notices.add(f"the chat template does not read {name!r} of chat_template_kwargs", where)
        bare = [{k: v for k, v in message.items() if k != TRAINED} for message in conversation]
        if not (found := self.control.found_anywhere([bare, settings])) or not (marks := found & self.marks.tokens):
            return self.control.hide(bare, ()), settings
        for mark in sorted(marks):
            self.notices.add(
                f"{mark!r} in the data is read as ordinary text: only the chat template marks turns", where
            )
        return self.control.hide(bare, marks), self.control.hide(settings, marks)

    def _render(self, conversation: list[Any], settings: Mapping[str, Any], *, answer_next: bool) -> str:
        if not self.source:
            raise ModelError(
                "the data holds conversations, but the tokenizer has no chat template; "
                "set model.chat_template to a Jinja file, or give prompts as plain text"
            )
        source = self.named.get("tool_use", self.source) if settings.get("tools") else self.source
        key = json.dumps([source, conversation, settings, answer_next], default=str)
        if key not in self._remembered:
            variables = {**self.tokenizer.special_tokens_map, **settings}
            self._remembered[key] = self._renderer.render(source, conversation, answer_next, variables)
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return self._remembered[key]


def _remedies(conversation: Sequence[Message], settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what may help where the last message is written otherwise than it is called for."""
    if len(conversation) > 1 and conversation[-2]["role"] == "assistant":
        yield "join answers that follow each other"
    if conversation[0]["role"] in OPENING:
        yield "put the system message into the first question"
    for name in sorted(settings.keys() - {"tools", "documents"}):
        yield f"change {name} of chat_template_kwargs"
    yield (
        "set model.chat_template to one that begins the assistant's turn the same way with and without "
        "add_generation_prompt"
    )
