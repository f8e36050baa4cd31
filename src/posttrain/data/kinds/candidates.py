"""Candidates: several answers to one prompt, each right or wrong, from which a reward model takes the best."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from posttrain.core.kinds import Kind
from posttrain.data.cells import Cells
from posttrain.data.chat.reading import turns
from posttrain.data.numeric_columns import numbers
from posttrain.errors import DataError
from posttrain.records import Candidates, Row
from posttrain.seeds import seed_for

if TYPE_CHECKING:
    from posttrain.data.chat.encode import Encoder

NUMBERED = re.compile(r"response_(\d+)")  # the answers of Preference Proxy Evaluations, a column each


def read(cells: Cells, identity: int, where: str) -> Candidates:
    """Read a prompt and its answers, in our form or that of RewardBench 2 or of Preference Proxy Evaluations."""
    asked = cells.question("prompt")
    answers, marks = _answers(cells)
    correct = tuple(_mark(m) for m in marks)
    if len(answers) != len(correct) or len(answers) < 2:
        raise DataError(f"'correct' must hold true or false for each of at least two answers; {len(answers)} answers")
    names = [f"completions[{i}]" for i in range(len(answers))]
    prompt, *completions = cells.together(
        asked, {name: turns(x, name, cells.note) for name, x in zip(names, answers, strict=True)}
    )
    own = {} if cells.named is None else {"id": cells.named}  # the Ties of RewardBench 2 are told by it
    return Candidates(identity, prompt, tuple(completions), correct, {**cells.rest, **own}, where)


def _answers(cells: Cells) -> tuple[Sequence[Any], Sequence[Any]]:
    """Take the answers, and whether each is right."""
    if "chosen" in cells:  # RewardBench 2: the right ones, and the others
        right, wrong = (_listed(cells.take(name), name) for name in ("chosen", "rejected"))
        return (*right, *wrong), (True,) * len(right) + (False,) * len(wrong)
    numbered = sorted((m for name in cells.rest if (m := NUMBERED.fullmatch(name))), key=lambda m: int(m[1]))
    if numbered:
        answers = tuple(cells.take(m[0]) for m in numbered)
        return answers, _listed(cells.take("scores" if "scores" in cells else "correct"), "correct")
    return _listed(cells.take("completions"), "completions"), _listed(cells.take("correct"), "correct")


def _listed(cell: Any, name: str) -> Sequence[Any]:
    if not isinstance(cell, list | tuple):
        raise DataError(f"{name!r} must be a list, not {cell!r:.80}")
    return cell


def _mark(cell: Any) -> bool:
    if cell not in (0, 1):  # True and False are
        raise DataError(f"'correct' must hold true or false (or 1 and 0), not {cell!r:.80}")
    return bool(cell)


def encode(encoder: Encoder, r: Candidates, wanted: Mapping[str, str]) -> list[Row]:
    """One row for each answer, with its label."""
    rows = []
    for place, (answer, label) in enumerate(zip(r.completions, r.correct, strict=True)):
        own = numbers(r.columns, wanted, place=place, places=len(r.completions))
        rows.append(encoder.row(seed_for("candidate", r.id, place), r, answer, group=r.id, label=label, **own))
    return rows


KIND = Kind(
    "candidates",
    Candidates,
    read,
    encode,
    "prompt, completions and correct",
    frozenset({"num_correct", "response_3"}),
    brings=frozenset({"group", "label"}),
    readers="posttrain eval",
)
