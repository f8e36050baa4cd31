"""The columns of one row, and what the kinds of records demand of prompts and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from posttrain.core.kinds import guess, kind
from posttrain.data.chat import reading
from posttrain.data.chat.left_out import REASONING
from posttrain.data.chat.messages import check_order, same_form, without_repeated
from posttrain.data.notices import Notices
from posttrain.errors import DataError, suggestion
from posttrain.records import TRAINED, Message, Turns

SAYING = {"tool_calls", *REASONING}  # keys of a message that say something besides its content


class Cells:
    """The columns of one row. A maker takes the ones it needs; the `rest` goes to the rewards.

    `arguments`: what the chat template reads besides the messages. `chat`: plain text becomes messages. `named`: the
    cell of the column `id`, where there is one.
    """

    def __init__(
        self, values: Mapping[str, Any], kind: str, chat: bool, notices: Notices | None = None, where: str = ""
    ) -> None:
        self.rest = dict(values)
        self.kind = kind
        self.chat = chat
        self.names = tuple(map(str, values))
        self.arguments: dict[str, Any] = {}
        self.named: Any = None
        self._notices = notices or Notices()
        self._where = where

    def __contains__(self, name: str) -> bool:
        return name in self.rest

    def note(self, text: str) -> None:
        """Take a notice about this row."""
        self._notices.add(text, self._where)

    def put(self, name: str, value: Any) -> None:
        """Add a column or replace it."""
        self.rest[name] = value

    def drop(self, *names: str) -> None:
        """Remove columns that have been read, where they are."""
        for name in names:
            self.rest.pop(name, None)

    def take(self, name: str) -> Any:
        """Remove a column and return its cell. Raises DataError if the row has no such column."""
        if name not in self.rest:
            has = ", ".join(self.names) or "no columns"
            raise DataError(
                f"{name!r} is missing{suggestion(name, self.names)}; {self.kind} are read from "
                f"{kind(self.kind).columns}, this row has {has}; if it is called otherwise, set columns: "
                f"{{{name}: ITS_NAME}}{self._other_kind()}"
            )
        return self.rest.pop(name)

    def _other_kind(self) -> str:
        """Say which kind the columns fit, where it is another one."""
        other = guess(self.names)
        if other.name == self.kind or not other.marks & set(self.names):
            return ""
        return f"; these columns are those of {other.name}, which {other.readers} read"

    def turns(self, name: str) -> Turns:
        """Take a column that is plain text or a conversation."""
        return reading.turns(self.take(name), name, self.note)

    def messages(self, name: str) -> tuple[Message, ...]:
        """Take a column that is a conversation."""
        return reading.messages(self.take(name), name, self.note)

    def question(self, name: str) -> Turns:
        """Take a column that is a prompt."""
        return reading.question(self.take(name), name, self.note)

    def together(self, prompt: Turns, answers: Mapping[str, Turns]) -> tuple[Turns, ...]:
        """Return prompt and answers in one form, without the prompt in the answers. Raises DataError if one is bad."""
        said = without_repeated(prompt, list(answers.values()), self.note)
        if self.chat and said != list(answers.values()):
            said = [a.lstrip() if isinstance(a, str) else a for a in said]
        asked, *answered = same_form(prompt, *said, chat=self.chat)
        check_answers(asked, **dict(zip(answers, answered, strict=True)))
        for answer in answered:
            note_silent(answer, self.note)
        return asked, *answered


def prompt_and_answers(cells: Cells, *names: str) -> tuple[Turns, ...]:
    """Take a prompt and its answers."""
    asked = cells.question("prompt")
    return cells.together(asked, {name: cells.turns(name) for name in names})


def check_answers(prompt: Turns, **answers: Turns) -> None:
    """Raise DataError for an answer that is empty or does not follow on the prompt."""
    for name, answer in answers.items():
        if isinstance(answer, str):
            if not answer.strip():
                raise DataError(f"{name!r} is empty")
            continue
        check_answer(answer, name)
        if answer[0]["role"] != "assistant":
            raise DataError(
                f"{name!r} must begin with the assistant's turn, not the {answer[0]['role']}'s, or repeat the prompt"
            )
        check_order((*prompt, *answer))


def check_answer(conversation: Sequence[Message], name: str) -> None:
    """Raise DataError for a conversation in which the assistant says nothing that could be trained."""
    answers = [m for m in conversation if m["role"] == "assistant"]
    if not answers:
        raise DataError(f"{name!r} holds no turn of the assistant, so there is nothing to train on")
    if not any(m["content"].strip() or m.get("tool_calls") for m in answers):
        raise DataError(f"{name!r} is empty: the assistant says nothing")
    if not any(m.get(TRAINED, True) for m in answers):
        raise DataError(f"every message of the assistant in {name!r} is marked as not trained; remove the row")


def note_silent(conversation: Turns, note: Callable[[str], None]) -> None:
    """Note a message of the assistant that says nothing, thinks nothing and calls nothing."""
    for m in conversation if not isinstance(conversation, str) else ():
        if m["role"] == "assistant" and m.get(TRAINED, True) and not m["content"].strip() and not m.keys() & SAYING:
            note("a message of the assistant is empty, so the model learns to say nothing there; mark it train: false")


def check_different(chosen: Turns, rejected: Turns) -> None:
    """Raise DataError for a pair of the same answer."""
    if chosen == rejected:
        raise DataError("'chosen' and 'rejected' are the same; remove the row")
