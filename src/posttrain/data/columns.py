"""From the columns of a row to a record. Names are TRL's; other known formats are translated (formats/translate.py).

text            text | messages
demonstrations  messages | prompt, completion | text
pairs           prompt, chosen, rejected; without prompt, the beginning that both answers share
ratings         prompt, completion, label
rankings        prompt, completions (a list, the best first)
candidates      prompt, completions (a list), correct (a list)
prompts         prompt | messages

A prompt or an answer is text or a list of messages. All other columns go to the rewards by name, and numbers that the
loss reads (`reward`, `margin`, ...) to the loss: see numeric_columns.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Literal

from posttrain.core import kinds
from posttrain.data.cells import Cells
from posttrain.data.chat.messages import only_last_trained
from posttrain.data.error_context import errors_at
from posttrain.data.formats import openai, sharegpt
from posttrain.data.formats.translate import translate
from posttrain.data.nested import Paths, cell, names
from posttrain.data.notices import Notices
from posttrain.data.readers.arrow_values import ArrowRow, without_nulls
from posttrain.errors import DataError
from posttrain.records import Record
from posttrain.seeds import seed_for

TrainOn = Literal["all", "last"]  # messages of the assistant that the loss reads
ANSWERS = ("completion", "chosen", "rejected", "completions")  # fields of records
CONVERSATIONAL = {  # columns of messages and of what the template reads
    *("prompt", "messages", *sharegpt.NAMES, *ANSWERS, *openai.NAMES),
    *("input", "tools", "functions", "documents", "chat_template_kwargs"),
}


def record(
    row: Mapping[str, Any],
    kind: str,
    index: int,
    where: str,
    part: Sequence[Any] = (),
    *,
    columns: Mapping[str, Paths] | None = None,
    answer_after: str | None = None,
    chat: bool = False,
    train_on: TrainOn = "all",
    notices: Notices | None = None,
) -> Record:
    """Turn one row into the record that a method reads. Raises DataError, with `where`, when that is impossible.

    `columns`: {our name: name in the file, or a list of names}. `answer_after`: a marker; of the column `answer` only
    the text after its last occurrence is kept. `chat`: a prompt in plain text becomes a user message and its answer the
    assistant's. `train_on`: all messages of the assistant, or the last alone. `part`: the number of the file among
    several; () of the first.
    """
    with errors_at(where):
        cells = Cells(_renamed(row, columns or {}), kind, chat, notices, where)
        if answer_after is not None:
            cells.put("answer", _after(cells.take("answer"), answer_after))
        translate(cells)
        identity = _identity(cells, index, part)
        made: Record = kinds.kind(kind).read(cells, identity, where)
        if cells.arguments:
            made = _with_arguments(made, cells)
        if train_on == "last":
            made = _last_trained(made)
        return made


def _renamed(row: Mapping[str, Any], columns: Mapping[str, Paths]) -> dict[str, Any]:
    named = {ours: cell(row, theirs, ours) for ours, theirs in columns.items()}
    taken = set(names(columns))
    values = {name: value for name, value in row.items() if name not in taken} | named
    if isinstance(row, ArrowRow):  # the keys of a struct are those of all rows together, null where a row has none
        values = {n: without_nulls(x) if n in CONVERSATIONAL else x for n, x in values.items()}
    return values


def _after(answer: Any, marker: str) -> str:
    if not isinstance(answer, str) or marker not in answer:
        raise DataError(f"'answer' does not contain {marker!r}; change answer_after or leave it out")
    return answer.rpartition(marker)[2].strip()


def _identity(cells: Cells, index: int, part: Sequence[Any]) -> int:
    """Derive the id from the column `id` if there is one, otherwise from the number of the row.

    The first of several files has the ids that it has alone; in the others the number of the file counts too.
    """
    identity = cells.take("id") if "id" in cells else None
    cells.named = identity
    if identity is None:
        return seed_for("row", *part, index)
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        raise DataError(f"'id' must be text or a whole number, not {identity!r}")
    return seed_for("id", *part, identity)


def _with_arguments(made: Any, cells: Cells) -> Any:
    if "arguments" in {f.name for f in fields(made)}:
        return replace(made, arguments=cells.arguments)
    cells.note(f"{' and '.join(map(repr, cells.arguments))} do not go to the chat template: {cells.kind} have no place")
    return made


def _last_trained(made: Any) -> Any:
    for name in ANSWERS:
        if name == "completions" and hasattr(made, name):
            made = replace(made, completions=tuple(only_last_trained(answer) for answer in made.completions))
        elif hasattr(made, name):
            made = replace(made, **{name: only_last_trained(getattr(made, name))})
    return made
