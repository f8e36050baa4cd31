"""The special tokens that mark turns, read off a short conversation that the chat template renders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile

from posttrain.data.chat.control import ControlTokens
from posttrain.data.chat.prefix import shared
from posttrain.errors import DataError
from posttrain.records import Message

QUESTION, ANSWER = "What is nine plus four?", "Thirteen."
CALL = {"id": "call00000", "type": "function", "function": {"name": "add", "arguments": {"a": 9, "b": 4}}}
RESULT = "7351"  # of that call: nothing that a template writes by itself
Render = Callable[[Sequence[Message], bool], str]  # conversation, whether an answer is called for -> text


@dataclass(frozen=True)
class TurnMarks:
    """`tokens`: those that mark turns. `end`: the last token of the assistant's turn, "" if that is none of them.

    A template may open a thought with `<think>` where it calls for an answer; that is no mark of a turn. `continued`:
    whether a plain answer begins with the words that call for it.
    """

    tokens: frozenset[str]
    end: str
    continued: bool = True

    @classmethod
    def of(cls, render: Render, control: ControlTokens) -> TurnMarks:
        """Render a question and an answer, and read off what stands around them.

        Where the template refuses them, all special tokens count as marks.
        """
        user, system = {"role": "user", "content": QUESTION}, {"role": "system", "content": "Be brief."}
        answer = {"role": "assistant", "content": ANSWER}
        try:
            asked, called = render([user], False), render([user], True)
            answered = render([user, answer], False)
        except DataError:
            return cls(frozenset(control.tokens), "")
        followed = system_too = ""
        with suppress(DataError):
            followed = render([user, answer, user], False)
        with suppress(DataError):  # a template without system turns
            system_too = render([system, user], False)
        before, calling = control.found_in(asked), control.found_in(called)
        header = calling[shared(before, calling) :] or control.found_in(answered)
        # Some templates write more behind a conversation than behind a turn, or always call for an answer.
        behind = control.found_in(answered.rpartition(ANSWER)[2])
        common = behind[: shared(behind, control.found_in(followed.partition(ANSWER)[2]))]
        ends = [*behind[:1], *takewhile(lambda token: token not in {*before, *header}, common[1:])]
        marks = {*before, *control.found_in(system_too), *header[:1], *behind, *control.ends}
        marks |= _around_results(render, control)
        return cls(frozenset(marks), ends[-1] if ends else "", answered.startswith(called))


def _around_results(render: Render, control: ControlTokens) -> set[str]:
    """Return the token before and the one behind what a tool answers, where the template writes tools' results."""
    called = {"role": "assistant", "content": "", "tool_calls": [CALL]}
    answered = {"role": "tool", "name": "add", "content": RESULT, "tool_call_id": CALL["id"]}
    try:
        text = render([{"role": "user", "content": QUESTION}, called, answered], False)
    except DataError:
        return set()
    before, _, behind = text.partition(RESULT)
    return {*control.found_in(before)[-1:], *control.found_in(behind)[:1]} if RESULT in text else set()
