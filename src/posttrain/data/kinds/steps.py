"""Steps: a solution in steps, each right or wrong, or with a probability of leading to the right answer."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from posttrain.core.kinds import Kind
from posttrain.data.cells import Cells
from posttrain.data.formats import stepwise
from posttrain.data.numeric_columns import numbers
from posttrain.errors import DataError
from posttrain.records import Row, Steps

if TYPE_CHECKING:
    from posttrain.data.chat.encode import Encoder


def read(cells: Cells, identity: int, where: str) -> Steps:
    """Read a prompt, its steps and their labels."""
    asked, steps, labels = stepwise.take(cells)
    if not steps or not all(isinstance(s, str) and s.strip() for s in steps):
        raise DataError(f"'steps' must be a list of texts that are not empty, not {steps!r:.80}")
    if len(labels) != len(steps):
        raise DataError(f"'labels' must hold a label for each of the {len(steps)} steps, null for none; not {labels!r}")
    prompt, _ = cells.together(asked, {"steps": stepwise.joined(steps)})
    return Steps(identity, prompt, tuple(steps), tuple(map(stepwise.probability, labels)), cells.rest, where)


def encode(encoder: Encoder, r: Steps, wanted: Mapping[str, str]) -> list[Row]:
    """One row. Of its answer only the token that completes a step with a label is trained, and has the label."""
    row = encoder.row(r.id, r, stepwise.joined(r.steps), **numbers(r.columns, wanted))
    answer = [i for i, written in enumerate(row.written) if written]
    ends = [answer[i] for i in _ends(encoder, [row.tokens[i] for i in answer], r.steps)]
    labels = {end: label for end, label in zip(ends, r.labels, strict=True) if label is not None}
    if len(set(ends)) < len(ends):
        raise DataError("two steps end in one token, so that they cannot have a label each; join them")
    if not labels:
        raise DataError("no step has a label, so there is nothing to train on; remove the row")
    places = range(len(row.tokens))
    column = tuple(labels.get(i, 0.0) for i in places)
    return [replace(row, trained=tuple(i in labels for i in places), columns={**row.columns, "step_label": column})]


def _ends(encoder: Encoder, tokens: Sequence[int], steps: Sequence[str]) -> list[int]:
    """Return for each step the first token with which its text is complete."""
    text, whole = stepwise.joined(steps).strip(), encoder.text(tokens)
    begin = whole.find(text)
    if begin < 0:
        raise DataError("the tokens of the steps do not give back their text, so that no token ends a step")
    done = [len(stepwise.joined(steps[: i + 1]).strip()) for i in range(len(steps))]
    length = lambda count: len(encoder.text(tokens[:count]))  # noqa: E731
    return [bisect_left(range(1, len(tokens) + 1), begin + end, key=length) for end in done]


KIND = Kind(
    "steps",
    Steps,
    read,
    encode,
    "prompt, steps and labels",
    frozenset({"steps"}),
    brings=frozenset({"step_label"}),
    readers="reward/process",
)
