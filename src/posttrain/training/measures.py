"""Values of parts on records under the current models, outside of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from posttrain.core.batch import Batch
from posttrain.core.kinds import kind_of
from posttrain.core.parts import Function, Part, as_part
from posttrain.core.vocabulary import FIELDS, Source, When
from posttrain.data.collate import collate, episode_row, paired
from posttrain.records import Episode, Pair, Record, Row
from posttrain.training.run import Run

if TYPE_CHECKING:
    from torch import Tensor


def values(run: Run, records: Sequence[Record], part: Part | Function) -> list[float]:
    """Compute a part on records: one value per row, or per pair."""
    rows = _rows(run, records)
    return _floats(run, paired(rows) if isinstance(records[0], Pair) else collate(rows), part)


def token_values(run: Run, records: Sequence[Record], part: Part | Function) -> list[list[float]]:
    """Compute a part on records: one value per trained token of each row."""
    batch = collate(_rows(run, records))
    value, rows = evaluate_part(run, batch, part), batch["rows"]
    return [value[rows.mask & (rows.index == i)].tolist() for i in range(rows.count)]


def scored(run: Run, episodes: Sequence[Episode], part: Part | Function) -> list[Episode]:
    """Return the episodes with a part's value as their reward."""
    whole = [e for e in episodes if not e.error]
    rows = [episode_row(e, train=True, temperature=1.0, step=run.journal.steps) for e in whole]
    numbers = iter(_floats(run, collate(rows), part) if rows else ())
    return [e if e.error else replace(e, reward=next(numbers)) for e in episodes]


def embeddings(run: Run, records: Sequence[Record], role: str) -> list[list[float]]:
    """Compute the hidden state after the last token of each row: [rows, D]."""
    batch = collate(_rows(run, records))
    states = run.learner.forward(batch, {"hidden": Source(role, "hidden", When.ONCE)})["hidden"]
    return cast("list[list[float]]", states[batch["rows"].sizes.cumsum(0) - 1].tolist())


def evaluate_part(run: Run, batch: Batch, part: Part | Function) -> Tensor:
    """Compute a part on a batch, after the model outputs that it reads."""
    whole = as_part(part)
    sources = {n: FIELDS[n].source for n in sorted(whole.needs)}
    outputs = run.learner.forward(batch, {n: s for n, s in sources.items() if s is not None})
    return cast("Tensor", whole(batch.add(outputs, {n: FIELDS[n].axes for n in outputs})))


def _rows(run: Run, records: Sequence[Record]) -> list[Row]:
    """Encode records of any kinds."""
    return [row for r in records for row in run.encoder.rows(r, kind_of(r).name)]


def _floats(run: Run, batch: Batch, part: Part | Function) -> list[float]:
    return [float(x) for x in evaluate_part(run, batch, part)]
