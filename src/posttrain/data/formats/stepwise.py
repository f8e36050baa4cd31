"""Solutions in steps: ours and TRL's, those of PRM800K, and those of Math-Shepherd."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.data.cells import Cells
from posttrain.errors import DataError
from posttrain.records import Turns

MARK = "ки"  # ends a step in Math-Shepherd; its label has + or - in the same place
FIRST_STEP = re.compile(r"\s*(?=Step 1\s*:)")
SEPARATOR = "\n"


def joined(steps: Sequence[str]) -> str:
    """Return the answer: its steps, each on a line of its own unless it ends with a line of its own."""
    ended = (step if step.endswith(SEPARATOR) else step + SEPARATOR for step in steps[:-1])
    return "".join([*ended, *steps[-1:]])


def take(cells: Cells) -> tuple[Turns, Sequence[Any], Sequence[Any]]:
    """Take the prompt, the steps, and a label for each of them."""
    if isinstance(label := cells.rest.get("label"), Mapping) and "steps" in label:
        return _prm800k(cells)
    if isinstance(label, str) and MARK in str(cells.rest.get("prompt", cells.rest.get("input", ""))):
        return _math_shepherd(cells)
    steps = cells.take("completions" if "completions" in cells and "steps" not in cells else "steps")
    labels = cells.take("labels")
    for name, cell in (("steps", steps), ("labels", labels)):
        if not isinstance(cell, list | tuple):
            raise DataError(f"{name!r} must be a list, with an entry for each step, not {cell!r:.80}")
    return cells.question("prompt"), steps, labels


def probability(label: Any) -> float | None:
    """Return a label as the probability that the step is right: true, false, a number from 0 to 1; None for none."""
    if label is None:
        return None
    if isinstance(label, bool | int | float) and 0 <= label <= 1:
        return float(label)
    raise DataError(f"the label of a step must be true, false, a number from 0 to 1, or null, not {label!r}")


def _prm800k(cells: Cells) -> tuple[Turns, Sequence[Any], Sequence[Any]]:
    """The path that its annotator took. Ratings are 1, 0 and -1; a neutral step counts as right, as in the paper."""
    label, question = cells.take("label"), cells.take("prompt" if "prompt" in cells else "question")
    asked = question["problem"] if isinstance(question, Mapping) else question
    steps, labels, left = [], [], 0
    for step in label["steps"]:
        options, chosen = step.get("completions") or [], step.get("chosen_completion")
        own = step.get("human_completion") or (options[chosen or 0] if options else None)
        if own is None:
            raise DataError("a step of 'label' has no completion")
        left += len(options) - (own in options)
        steps.append(own["text"])
        rating = own.get("rating", 1 if step.get("human_completion") else None)
        labels.append(None if rating is None else rating >= 0)
    if left:
        cells.note("of the alternative steps of PRM800K only those that the annotator took are read")
    return str(asked), steps, labels


def _math_shepherd(cells: Cells) -> tuple[Turns, Sequence[Any], Sequence[Any]]:
    """The marks after the steps of the text are + and - in the label."""
    text, label = str(cells.take("prompt" if "prompt" in cells else "input")), cells.take("label")
    pieces, labels, at = text.split(MARK), [], 0
    for piece in pieces[:-1]:
        at += len(piece)
        labels.append({"+": True, "-": False}.get(label[at : at + 1]))
        at += 1
    if None in labels:
        raise DataError(f"'label' has no + or - where the text has {MARK!r}")
    start = FIRST_STEP.search(pieces[0])
    if start is None:
        raise DataError("the text has no 'Step 1:', where the solution would begin")
    question, first = pieces[0][: start.start()], pieces[0][start.end() :]
    return question + SEPARATOR, [s.strip() for s in (first, *pieces[1:-1])], labels
