"""From the columns of a row to a record. Names are TRL's; the formats of Alpaca, ShareGPT and hh-rlhf work as well.

text            text | messages
demonstrations  messages | prompt, completion | text | instruction, input, output | conversations
pairs           prompt, chosen, rejected; without prompt, the beginning that both answers share
ratings         prompt, completion, label
rankings        prompt, completions (a list, the best first)
prompts         prompt | messages | instruction, input | conversations

A prompt or an answer is text or a list of messages. All other columns go to the rewards by name, and numbers that the
loss reads (`reward`, `margin`, ...) to the loss: see numeric_columns.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from posttrain.data.chat.messages import check_order, messages, question, same_form, sharegpt, split_common, turns
from posttrain.data.error_context import errors_at
from posttrain.errors import DataError, suggestion
from posttrain.records import Demonstration, Message, Pair, Prompt, Ranking, Rating, Record, Turns
from posttrain.seeds import seed_for


def record(
    row: Mapping[str, Any],
    kind: str,
    index: int,
    where: str,
    *,
    columns: Mapping[str, str] | None = None,
    answer_after: str | None = None,
    chat: bool = False,
) -> Record:
    """Turn one row into the record that a method reads. Raises DataError, with `where`, when that is impossible.

    `columns`: {our name: name in the file}. `answer_after`: a marker; of the column `answer` only the text after its
    last occurrence is kept. `chat`: a prompt in plain text becomes a user message and its answer the assistant's.
    """
    with errors_at(where):
        cells = Cells(_renamed(row, columns or {}), kind, chat)
        if answer_after is not None:
            cells.put("answer", _after(cells.take("answer"), answer_after))
        cells.rename_other_formats()
        identity = _identity(cells, index)
        return MAKERS[kind](cells, identity, where)


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
            raise DataError(
                f"{name!r} is missing{suggestion(name, self.names)}; {self.kind} are read from {READS[self.kind]}, "
                f"this row has {has}; if it is called otherwise, set columns: {{{name}: ITS_NAME}}"
            )
        return self.rest.pop(name)

    def rename_other_formats(self) -> None:
        """Replace the columns of Alpaca and ShareGPT by TRL's."""
        if "prompt" in self or "messages" in self:
            return
        if "conversations" in self:
            self.put("messages", sharegpt(self.take("conversations")))
        elif "instruction" in self:
            asked = [str(self.take(name)) for name in ("instruction", "input") if self.rest.get(name)]
            self.put("prompt", [{"role": "user", "content": "\n\n".join(asked)}])
            if self.kind == "demonstrations" and "completion" not in self:
                self.put("completion", self.take("output"))


def _renamed(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    for target, source in columns.items():
        if source not in row:
            raise DataError(
                f"the column {source!r}, which is to be read as {target!r}, is missing{suggestion(source, row)}; "
                f"this row has {', '.join(map(str, row))}"
            )
    kept = {name: value for name, value in row.items() if name not in columns.values()}
    return kept | {target: row[source] for target, source in columns.items()}


def _after(answer: Any, marker: str) -> str:
    if not isinstance(answer, str) or marker not in answer:
        raise DataError(f"'answer' does not contain {marker!r}; change answer_after or leave it out")
    return answer.rpartition(marker)[2].strip()


def _identity(cells: Cells, index: int) -> int:
    """Derive the id from the column `id` if there is one, otherwise from the number of the row."""
    if "id" not in cells:
        return seed_for("row", index)
    identity = cells.take("id")
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        raise DataError(f"'id' must be text or a whole number, not {identity!r}")
    return seed_for("id", identity)


# ---- one maker for each kind


def _prompt(cells: Cells, identity: int, where: str) -> Prompt:
    name = "messages" if "messages" in cells and "prompt" not in cells else "prompt"
    value = cells.take(name)
    (asked,) = same_form(question(messages(value, name) if name == "messages" else value, name), chat=cells.chat)
    if not isinstance(asked, str):
        check_order(asked)
    return Prompt(identity, asked, cells.rest, where)


def _demonstration(cells: Cells, identity: int, where: str) -> Demonstration:
    if "prompt" not in cells and "completion" not in cells and ("messages" in cells or "text" in cells):
        return _text(cells, identity, where)
    prompt, completion = _prompt_and_answers(cells, "completion")
    return Demonstration(identity, prompt, completion, where, cells.rest)


def _text(cells: Cells, identity: int, where: str) -> Demonstration:
    if "messages" in cells:
        conversation = messages(cells.take("messages"), "messages")
        check_order(conversation)
        _check_answer(conversation, "messages")
        return Demonstration(identity, "", conversation, where, cells.rest)
    text = cells.take("text")
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"'text' must be text that is not empty, not {text!r}")
    if cells.chat:
        raise DataError("chat makes messages of a prompt and its answer, but this row is one text; set chat: false")
    return Demonstration(identity, "", text, where, cells.rest)


def _pair(cells: Cells, identity: int, where: str) -> Pair:
    if "prompt" in cells:
        prompt, chosen, rejected = _prompt_and_answers(cells, "chosen", "rejected")
    else:
        whole = [turns(cells.take(name), name) for name in ("chosen", "rejected")]
        _check_different(*whole)
        prompt, chosen, rejected = same_form(*split_common(*whole), chat=cells.chat)
        _check_answers(prompt, chosen=chosen, rejected=rejected)
    _check_different(chosen, rejected)
    return Pair(identity, prompt, chosen, rejected, cells.rest, where)


def _rating(cells: Cells, identity: int, where: str) -> Rating:
    prompt, completion = _prompt_and_answers(cells, "completion")
    label = cells.take("label")
    if isinstance(label, str) and label.lower() in ("true", "false"):  # as CSV writes it
        label = label.lower() == "true"
    if not isinstance(label, bool):
        raise DataError(f"'label' must be true or false, not {label!r}")
    return Rating(identity, prompt, completion, label, cells.rest, where)


def _ranking(cells: Cells, identity: int, where: str) -> Ranking:
    asked, answers = question(cells.take("prompt"), "prompt"), cells.take("completions")
    if not isinstance(answers, list | tuple) or len(answers) < 2:
        raise DataError(f"'completions' must be a list of at least two answers, the best first, not {answers!r}")
    names = [f"completions[{i}]" for i in range(len(answers))]
    answered = (turns(x, name) for name, x in zip(names, answers, strict=True))
    prompt, *completions = same_form(asked, *answered, chat=cells.chat)
    _check_answers(prompt, **dict(zip(names, completions, strict=True)))
    return Ranking(identity, prompt, tuple(completions), cells.rest, where)


def _prompt_and_answers(cells: Cells, *names: str) -> tuple[Turns, ...]:
    asked = question(cells.take("prompt"), "prompt")
    prompt, *answers = same_form(asked, *(turns(cells.take(name), name) for name in names), chat=cells.chat)
    _check_answers(prompt, **dict(zip(names, answers, strict=True)))
    return prompt, *answers


def _check_answers(prompt: Turns, **answers: Turns) -> None:
    for name, answer in answers.items():
        if isinstance(answer, str):
            if not answer.strip():
                raise DataError(f"{name!r} is empty")
            continue
        _check_answer(answer, name)
        if answer[0]["role"] != "assistant":
            raise DataError(f"{name!r} must begin with the assistant's turn, not the {answer[0]['role']}'s")
        check_order((*prompt, *answer))


def _check_answer(conversation: Sequence[Message], name: str) -> None:
    answers = [m for m in conversation if m["role"] == "assistant"]
    if not answers:
        raise DataError(f"{name!r} holds no turn of the assistant, so there is nothing to train on")
    if not any(m["content"].strip() or m.get("tool_calls") for m in answers):
        raise DataError(f"{name!r} is empty: the assistant says nothing")


def _check_different(chosen: Turns, rejected: Turns) -> None:
    if chosen == rejected:
        raise DataError("'chosen' and 'rejected' are the same; remove the row")


MAKERS: dict[str, Callable[[Cells, int, str], Record]] = {
    "demonstrations": _demonstration,
    "text": _text,
    "pairs": _pair,
    "ratings": _rating,
    "rankings": _ranking,
    "prompts": _prompt,
}
READS = {
    "demonstrations": "prompt and completion, or messages, or text",
    "text": "text or messages",
    "pairs": "prompt, chosen and rejected",
    "ratings": "prompt, completion and label",
    "rankings": "prompt and completions",
    "prompts": "prompt or messages",
}
