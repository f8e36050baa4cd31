"""From the columns of a row to a record. Names are TRL's; the formats of Alpaca, ShareGPT and hh-rlhf work as well.

text            text | messages
demonstrations  messages | prompt, completion | text | instruction, input, output | conversations
pairs           prompt, chosen, rejected; without prompt, the beginning that both answers share
ratings         prompt, completion, label
rankings        prompt, completions (a list, the best first)
prompts         prompt | messages | instruction, input | conversations

The column `system` is the system message before a prompt or conversation; Alpaca's `history` are the turns before it.
A prompt or an answer is text or a list of messages. All other columns go to the rewards by name, and numbers that the
loss reads (`reward`, `margin`, ...) to the loss: see numeric_columns.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posttrain.core import kinds
from posttrain.data.cells import Cells
from posttrain.data.error_context import errors_at
from posttrain.errors import DataError, suggestion
from posttrain.records import Record
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
        made: Record = kinds.kind(kind).read(cells, identity, where)
        return made


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
