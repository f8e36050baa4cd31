"""Held-out records of a method's own kind: its loss and metrics on them, without gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from posttrain.backends.protocol import Share
from posttrain.core.batch import Batch
from posttrain.core.method import MAIN, TOKEN_MEAN, Method, Term
from posttrain.core.reduce import count, whole_gradients
from posttrain.data.collate import collate, paired
from posttrain.data.dataset import Dataset
from posttrain.data.feed import cut
from posttrain.data.numeric_columns import brought
from posttrain.errors import DataError
from posttrain.records import Record, Row
from posttrain.training.enough import check_records
from posttrain.training.run import Run
from posttrain.training.trainer import Batches, Trainer

if TYPE_CHECKING:
    from posttrain.config.sections.data import Data
    from posttrain.config.sections.evaluate import Evaluate

PROBE = torch.tensor([-0.5, -2.0])  # log-probs on which a term is tried


def sources(section: Evaluate, method: Method | None, *, scored: bool) -> tuple[Data | None, Data | None]:
    """Return the source of held-out prompts and that of held-out records; `scored`: the run has reward functions."""
    if section.records is None and not scored and method is not None and offline(method):
        return None, section.data
    return section.data, section.records


def offline(method: Method) -> bool:
    """Whether a method reads records only and samples nothing."""
    return not any(stream.kind.sampled for stream in method.streams.values())


def measurable(method: Method) -> list[str]:
    """Return the names of all numbers that held-out records may have, before any are measured."""
    named = [f"loss/{name}" for name in method.loss] if len(method.loss) > 1 else []
    scalars = [name for name in method.derived if method.vocabulary[name].axes == ""]
    return ["loss", "perplexity", *named, *method.metrics, *scalars]


class HeldOut:
    """Held-out records, encoded once, and the trainer whose method measures them.

    They are cut into batches of the training's size, since some methods compare the records of a batch. Raises
    DataError for records that lack a column of the training data.
    """

    def __init__(self, run: Run, trainer: Trainer, records: Dataset, *, batch: int, arriving: set[str]) -> None:
        self.run = run
        self.trainer = trainer
        self.method = trainer.method
        kind, columns = self.method.streams[MAIN].kind, self.method.columns
        records, self.rows = run.rows(records, kind.name, columns)
        self.records = records
        given = kind.tensors | brought(records, self.rows)
        if lacking := sorted(arriving - given):
            raise DataError(
                f"{records.name}: the held-out records have no column {lacking[0]!r}, which the training data has; add "
                "it, or leave it out of both"
            )
        check_records(self.method, records)
        self.chunks = [records[start:end] for start, end in cut(len(records), batch, self.method.least_records)]

    def measure(self) -> dict[str, float]:
        """Compute the loss and the metrics of the method on all records with the current weights."""
        measured = losses(self.trainer, [self._batches(chunk) for chunk in self.chunks])
        terms = self.trainer.plan.terms[MAIN]
        if len(terms) == 1:
            mean = measured.pop(f"loss/{next(iter(terms))}")
            if _is_nll(next(iter(terms.values()))):
                measured["perplexity"] = math.exp(min(mean, 700.0))
        return measured

    def _batches(self, records: Sequence[Record]) -> Batches:
        """Collate the rows of some records, and of the streams that are views of them."""
        rows = [row for r in records for row in self.rows[r.id]]
        batches = {MAIN: self._collate(MAIN, rows)}
        for s, stream in self.method.streams.items():
            if stream.view is not None:
                encode = self.run.encoder.rows
                seen = [row for r in stream.view(records) for row in encode(r, stream.kind.name, self.method.columns)]
                batches[s] = self._collate(s, seen)
        return batches

    def _collate(self, stream: str, rows: Sequence[Row]) -> Batch:
        return paired(rows) if self.method.streams[stream].kind.paired else collate(rows)


def losses(trainer: Trainer, chunks: Sequence[Batches]) -> dict[str, float]:
    """Compute loss, terms and metrics over several batches with the trainer's weights and states, and change neither.

    Every mean is over all batches; terms that mix the rows of a batch are averaged over the batches by their rows.
    """
    plan = trainer.plan
    looked = [trainer.look(chunk, number) for number, chunk in enumerate(chunks)]
    measured = {s for s in chunks[0] if plan.terms[s]}
    divided = {s: _counts(plan.terms[s], [batches[s] for batches, _, _ in looked]) for s in measured}
    averaged = {s: _counts(plan.metrics[s], [batches[s] for batches, _, _ in looked]) for s in measured}
    rows = [batches[MAIN]["rows"].count for batches, _, _ in looked]
    share = Share()
    for (batches, now, scalars), n in zip(looked, rows, strict=True):
        part = n / sum(rows)
        share.add(0.0, {name: x * part for name, x in scalars.items()})
        for s in measured:
            _, value, named = whole_gradients(plan, s, batches[s], now[s])
            share.add(value * part, {name: x * part for name, x in named.items()})
            sums = dict.fromkeys(averaged[s], 1.0)  # divided here, in double precision: a share of 1 is 1
            seen = trainer.learner.measure(plan, s, batches[s], sums | divided[s])
            own = {m: averaged[s][t] for m, t in plan.metrics[s].items() if t not in divided[s]}
            share.add(seen.loss, {m: x / own.get(m, 1.0) for m, x in seen.metrics.items()})
    return {"loss": share.loss, **share.metrics}


def _counts(terms: Mapping[str, Term], batches: Sequence[Batch]) -> dict[Term, float]:
    """Count what each term averages over, in all batches together."""
    return {term: sum(count(term, batch) for batch in batches) for term in terms.values()}


def _is_nll(term: Term) -> bool:
    """Whether a term is the mean of -log p over the trained tokens, whose exponential is the perplexity."""
    if term.reduction is not TOKEN_MEAN or term.part.needs != {"logp"}:
        return False
    return torch.equal(term.part({"logp": PROBE}), -PROBE)
