"""Several answers with a score each: ratings beside `completions`, or inside of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.cells import Cells
from posttrain.data.chat.message import is_message
from posttrain.errors import DataError

RANKS = ("ranks", "rank", "ranking")  # a number for each answer, the smallest is the best
SCORES = ("ratings", "rating", "scores", "score", "overall_score", "rewards", "reward", "labels", *RANKS)
ANSWER = ("completion", "response", "text", "content", "answer", "output")


def best_first(cells: Cells) -> Any:
    """Take `completions`, in the order of their scores if the row has any, else as they are: the best first."""
    answers = cells.take("completions")
    if not isinstance(answers, list | tuple) or not answers:
        return answers
    if all(isinstance(a, Mapping) and not is_message(a) for a in answers):
        answers = _taken_apart(cells, answers)
    name = next((s for s in SCORES if _one_each(cells.rest.get(s), len(answers))), None)
    if name is None:
        return answers
    scores = _numbers(cells.rest[name], name)
    order = sorted(range(len(answers)), key=lambda i: scores[i] if name in RANKS else -scores[i])
    if order != list(range(len(answers))):
        cells.note(f"the completions are sorted by {name!r}, the best first")
        for column, cell in cells.rest.items():
            if _one_each(cell, len(answers)):
                cells.put(column, [cell[i] for i in order])
    return [answers[i] for i in order]


def _taken_apart(cells: Cells, answers: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return the answers of objects such as {"response", "rating"}; their scores become a column."""
    key = next((k for k in ANSWER if all(k in a for a in answers)), None)
    if key is None:
        raise DataError(f"the 'completions' are objects without a text; each needs one of {', '.join(ANSWER)}")
    score = next((k for k in SCORES if all(a.get(k) is not None for a in answers)), None)
    if score is not None:
        cells.put(score, [a[score] for a in answers])
    return [a[key] for a in answers]


def _one_each(cell: Any, count: int) -> bool:
    return isinstance(cell, list | tuple) and len(cell) == count and any(x is not None for x in cell)


def _numbers(cell: Sequence[Any], name: str) -> list[float]:
    if all(isinstance(x, bool) for x in cell):
        raise DataError(
            f"{name!r} says of each completion whether it is right: steps of one answer, which reward/process reads; "
            "of several answers, give each a row of its own with a label (ratings)"
        )
    try:
        return [float(x) for x in cell]
    except (TypeError, ValueError):
        raise DataError(f"{name!r} must hold a number for each completion, not {cell!r:.80}") from None
