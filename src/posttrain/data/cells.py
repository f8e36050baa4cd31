"""The columns of one row, and what the kinds of records demand of prompts and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.core.kinds import kind
from posttrain.data.chat.messages import (
    alpaca_history,
    check_order,
    question,
    same_form,
    sharegpt,
    system_message,
    turns,
    with_system,
)
from posttrain.errors import DataError, suggestion
from posttrain.records import Message, Turns


class Cells:
    """The columns of one row. A maker takes the ones it needs; the `rest` goes to the rewards."""

    def __init__(self, values: Mapping[str, Any], kind: str, chat: bool) -> None:
        self.rest = dict(values)
        self.kind = kind
        self.chat = chat
        self.names = tuple(values)

    def __contains__(self, name: str) -> bool:
        return name in self.rest

    def put(self, name: str, value: Any) -> None:
        """Add a column or replace it."""
        self.rest[name] = value

    def take(self, name: str) -> Any:
        """Remove a column and return its cell. Raises DataError if the row has no such column."""
        if name not in self.rest:
            has = ", ".join(map(str, self.names)) or "no columns"
            columns = kind(self.kind).columns
            raise DataError(
                f"{name!r} is missing{suggestion(name, self.names)}; {self.kind} are read from {columns}, "
                f"this row has {has}; if it is called otherwise, set columns: {{{name}: ITS_NAME}}"
            )
        return self.rest.pop(name)

    def rename_other_formats(self) -> None:
        """Replace the columns of Alpaca and ShareGPT by TRL's, and put the column `system` before the conversation."""
        if "prompt" not in self and "messages" not in self:
            if "conversations" in self:
                self.put("messages", sharegpt(self.take("conversations")))
            elif "instruction" in self:
                asked = [str(self.take(name)) for name in ("instruction", "input") if self.rest.get(name)]
                turn = {"role": "user", "content": "\n\n".join(asked)}
                self.put("prompt", [*alpaca_history(self.rest.pop("history", None)), turn])
                if self.kind == "demonstrations" and "completion" not in self:
                    self.put("completion", self.take("output"))
        for name in ("prompt", "messages"):
            if name in self and (message := system_message(self.rest.get("system"))):
                self.put(name, with_system(message, self.take(name), name))
                self.take("system")


def prompt_and_answers(cells: Cells, *names: str) -> tuple[Turns, ...]:
    asked = question(cells.take("prompt"), "prompt")
    prompt, *answers = same_form(asked, *(turns(cells.take(name), name) for name in names), chat=cells.chat)
    check_answers(prompt, **dict(zip(names, answers, strict=True)))
    return prompt, *answers


def check_answers(prompt: Turns, **answers: Turns) -> None:
    for name, answer in answers.items():
        if isinstance(answer, str):
            if not answer.strip():
                raise DataError(f"{name!r} is empty")
            continue
        check_answer(answer, name)
        if answer[0]["role"] != "assistant":
            raise DataError(f"{name!r} must begin with the assistant's turn, not the {answer[0]['role']}'s")
        check_order((*prompt, *answer))


def check_answer(conversation: Sequence[Message], name: str) -> None:
    answers = [m for m in conversation if m["role"] == "assistant"]
    if not answers:
        raise DataError(f"{name!r} holds no turn of the assistant, so there is nothing to train on")
    if not any(m["content"].strip() or m.get("tool_calls") for m in answers):
        raise DataError(f"{name!r} is empty: the assistant says nothing")


def check_different(chosen: Turns, rejected: Turns) -> None:
    if chosen == rejected:
        raise DataError("'chosen' and 'rejected' are the same; remove the row")
