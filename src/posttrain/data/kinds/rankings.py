"""Rankings: several answers to one prompt, the best first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from posttrain.core.kinds import Kind
from posttrain.data.cells import Cells
from posttrain.data.chat.reading import turns
from posttrain.data.formats.scored import best_first
from posttrain.data.numeric_columns import numbers
from posttrain.errors import DataError
from posttrain.records import Ranking, Row
from posttrain.seeds import seed_for

if TYPE_CHECKING:
    from posttrain.data.chat.encode import Encoder


def read(cells: Cells, identity: int, where: str) -> Ranking:
    """Read a prompt and its answers, the best first."""
    asked, answers = cells.question("prompt"), best_first(cells)
    if not isinstance(answers, list | tuple) or len(answers) < 2:
        raise DataError(f"'completions' must be a list of at least two answers, the best first, not {answers!r}")
    names = [f"completions[{i}]" for i in range(len(answers))]
    answered = {name: turns(x, name, cells.note) for name, x in zip(names, answers, strict=True)}
    prompt, *completions = cells.together(asked, answered)
    return Ranking(identity, prompt, tuple(completions), cells.rest, where)


def encode(encoder: Encoder, r: Ranking, wanted: Mapping[str, str]) -> list[Row]:
    """One row for each answer, with its rank; a column holds a list with a number for each of them."""
    rows = []
    for rank, answer in enumerate(r.completions):
        own = numbers(r.columns, wanted, place=rank, places=len(r.completions))
        rows.append(encoder.row(seed_for("ranked", r.id, rank), r, answer, group=r.id, rank=rank, **own))
    return rows


KIND = Kind(
    "rankings",
    Ranking,
    read,
    encode,
    "prompt and completions",
    frozenset({"completions"}),
    brings=frozenset({"group", "rank"}),
    readers="preference/listwise methods",
)
