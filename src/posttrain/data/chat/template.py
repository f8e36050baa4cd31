"""Chat templates: a conversation as text, and which characters of that text the assistant wrote."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from posttrain.data.chat.control import ControlTokens
from posttrain.data.chat.left_out import Written
from posttrain.data.chat.messages import nobody_asks
from posttrain.data.chat.mismatch import mismatch
from posttrain.data.chat.opened_thought import behind_opening
from posttrain.data.chat.probe import Probe
from posttrain.data.chat.renderer import Renderer
from posttrain.data.chat.turn_marks import TurnMarks
from posttrain.data.notices import Notices
from posttrain.errors import DataError, ModelError
from posttrain.records import TRAINED, Message
from posttrain.turns import is_prefilled, joined

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
        """Return the conversation so far, followed by the words that call for the assistant's answer.

        One that ends with words of the assistant ends there: the answer continues them.
        """
        hidden, settings = self._prepared(prompt, arguments, where)
        prefill = is_prefilled(tuple(prompt))
        text = self._render(hidden, settings, answer_next=not prefill)
        self._check_context(hidden, settings, self._written(text, hidden, settings, answer_next=not prefill), where)
        return self._prefilled(hidden, settings) if prefill else text

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
        whole = joined(prompt, answer)
        first = len(whole) - len(answer)  # the message that the answer begins, or continues
        wanted = [
            number
            for number, message in enumerate(whole)
            if number >= first and message["role"] == "assistant" and message.get(TRAINED, True)
        ]
        conversation, settings = self._prepared(whole, arguments, where)
        prefill = None
        if first < len(prompt):
            prefill = self._prefilled(self._hidden(prompt, settings)[0], settings)
        elif wanted[:1] == [0]:
            self.notices.add("a message of the assistant before anybody has asked is read and not trained", where)
            wanted = wanted[1:]
        turns = [self._turn(conversation, n, settings, prefill if n == first else None) for n in wanted]
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

    def _prefilled(self, prompt: list[Any], settings: Mapping[str, Any]) -> str:
        """Render a prompt up to the last word of the assistant, as transformers' `continue_final_message` does."""
        try:
            return self._render(prompt, settings, continues=True)
        except DataError as error:
            raise DataError(
                f"the prompt ends with words of the assistant, and {error}; end it with the user's message, or set "
                "model.chat_template to one that writes them"
            ) from error

    def _turn(
        self, conversation: list[Any], number: int, settings: Mapping[str, Any], prefill: str | None = None
    ) -> Rendered:
        """Render a conversation up to and including an answer, the message of this number.

        `prefill`: the text of a prompt that begins the answer.
        """
        message = conversation[number]
        asked = self._render(conversation[:number], settings, answer_next=True) if prefill is None else prefill
        answered = self._render(conversation[: number + 1], settings, answer_next=False)
        written = self._written(answered, conversation[: number + 1], settings)
        self._check_calls(message, number, written)
        missing = written.missing
        if not answered.startswith(asked):
            opened = asked if prefill is None else self._render(conversation[:number], settings, answer_next=True)
            answered = behind_opening(opened, answered, message) or answered
            if not answered.startswith(asked):
                # a matter of this conversation, or of every one
                error = DataError if prefill is not None or self.marks.continued else ModelError
                raise error(
                    mismatch(asked, answered, conversation[: number + 1], settings, prefilled=prefill is not None)
                )
            missing -= {("thought", number)}  # the history drops it, the answer has it
        end = self._end(answered, len(asked))
        written = Written(answered[len(asked) if prefill is None else 0 :], missing)
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
        hidden, settings, marks = self._hidden(conversation, settings)
        for mark in sorted(marks):
            self.notices.add(
                f"{mark!r} in the data is read as ordinary text: only the chat template marks turns", where
            )
        return hidden, settings

    def _hidden(
        self, conversation: Sequence[Message], settings: dict[str, Any]
    ) -> tuple[list[Any], dict[str, Any], set[str]]:
        """Return messages and settings as the template gets them, and the marks of turns that were hidden."""
        bare = [{k: v for k, v in message.items() if k != TRAINED} for message in conversation]
        if not (found := self.control.found_anywhere([bare, settings])) or not (marks := found & self.marks.tokens):
            return self.control.hide(bare, ()), settings, set()
        return self.control.hide(bare, marks), self.control.hide(settings, marks), marks

    def _render(
        self,
        conversation: list[Any],
        settings: Mapping[str, Any],
        *,
        answer_next: bool = False,
        continues: bool = False,
    ) -> str:
        if not self.source:
            raise ModelError(
                "the data holds conversations, but the tokenizer has no chat template; "
                "set model.chat_template to a Jinja file, or give prompts as plain text"
            )
        source = self.named.get("tool_use", self.source) if settings.get("tools") else self.source
        key = json.dumps([source, conversation, settings, answer_next, continues], default=str)
        if key not in self._remembered:
            variables = {**self.tokenizer.special_tokens_map, **settings}
            self._remembered[key] = self._rendered(source, conversation, answer_next, variables, continues=continues)
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return self._remembered[key]

    def _rendered(self, source: str, conversation: list[Any], *how: Any, continues: bool) -> str:
        try:
            return self._renderer.render(source, conversation, *how, continues=continues)
        except DataError as error:
            if nobody_asks(conversation):
                raise DataError(
                    f"{error}; the assistant speaks before anybody has asked: begin with a user message, or mark that "
                    "message trained: false"
                ) from error
            raise
