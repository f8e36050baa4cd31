"""Methods on numbers that a test chooses: the models are tables, everything else is what ships.

Use it for the golden numbers, identities and invariances of one method.

    one = step(DPO, answer(logp=[-1.0, -2.0], ref_logp=[-1.5, -1.5]), answer(...), pairs=[(0, 1)])
    one.metrics["loss"], one.gradient("logp"), one.value("advantage")

Every answer follows one prompt token whose model outputs are NaN: nothing may read them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from posttrain.core.batch import Batch
from posttrain.core.method import MAIN, Method
from posttrain.core.plan import plan
from posttrain.core.vocabulary import Source, When
from posttrain.data.collate import collate
from posttrain.records import Row
from posttrain.training.trainer import Trainer
from tests.harness.recorder import Gradients, Recorder

NEVER_READ = math.nan


class Lookup(nn.Module):
    """A model whose output at a token is the entry of that token's id in a table; 0 where no table is given."""

    def __init__(self, tables: Mapping[str, Tensor], per_row: Sequence[str] = ("score",)) -> None:
        super().__init__()
        self.tables = nn.ParameterDict({n: nn.Parameter(t) for n, t in tables.items()})
        self.unused = nn.Parameter(torch.zeros(()))  # an optimiser wants at least one parameter
        self.per_row = per_row

    def outputs(self, tokens, rows, names, *, written=None, temperature=1.0) -> dict[str, Tensor]:
        last = rows.sizes.cumsum(0) - 1
        places = {n: tokens[last] if n in self.per_row else tokens for n in names}
        return {n: self.tables[n][t] if n in self.tables else 0.0 * t + self.unused for n, t in places.items()}


@dataclass(frozen=True)
class Answer:
    """One row: numbers per token (lists, without the prompt) and per row, by the names of the vocabulary.

    Several numbers of one row or token are a tuple.
    """

    values: Mapping[str, Any]
    train: bool = True

    @property
    def length(self) -> int:
        """Tokens: those of its longest list, or one where all it has are numbers of the row."""
        return max((len(v) for v in self.values.values() if isinstance(v, list)), default=1)


def answer(train: bool = True, **values: Any) -> Answer:
    return Answer(values, train)


@dataclass
class Step:
    """What one batch did."""

    method: Method
    batches: Mapping[str, Batch]  # with the tensors derived before the passes
    metrics: dict[str, float]
    gradients: list[Gradients]
    states: dict[str, Any]
    carried: dict[str, float]  # what was derived at the end, for the next batch

    def value(self, name: str, stream: str = MAIN) -> Any:
        """A tensor of the batch: a number, a number per answer, or a list of its tokens per answer."""
        x, axes = self.batches[stream][name], self.method.vocabulary[name].axes
        if axes == "":
            return float(x)
        return x.tolist() if axes[:1] == "B" else self._by_answer(x, stream)

    def gradient(self, name: str, stream: str = MAIN) -> list[Any]:
        """d loss / d (a model output), per answer, of the first optimiser step. The prompt's is exactly zero."""
        source = self.method.vocabulary[name].source
        table = self.gradients[0][f"{source.model}.tables.{source.output}"]
        batch = self.batches[stream]
        grad = table[batch["tokens"]]
        if self.method.vocabulary[name].axes[:1] == "B":
            return grad[batch["rows"].sizes.cumsum(0) - 1].tolist()
        assert (grad[~batch["written"].mask] == 0).all()
        return self._by_answer(grad, stream)

    def _by_answer(self, x: Tensor, stream: str) -> list[list[float]]:
        pieces = x.split(self.batches[stream]["rows"].sizes.tolist())
        return [piece[1:].tolist() for piece in pieces]


def step(
    method: Method,
    *answers: Answer,
    pairs: Sequence[tuple[int, int]] | None = None,
    others: Mapping[str, Sequence[Answer]] | None = None,
    states: Mapping[str, Any] | None = None,
    carried: Mapping[str, float] | None = None,
    rate: float = 0.0,
    **scalars: float,
) -> Step:
    """Train one batch through the real trainer. `others`: the answers of further streams."""
    tables, batches = _Tables(method), {}
    for s, some in {MAIN: answers, **(others or {})}.items():
        if s not in method.streams:  # a weight of 0 leaves it without a reader
            continue
        batches[s] = collate([tables.row(a, i) for i, a in enumerate(some)], pairs if s == MAIN else None, scalars)
    arrives = {s: set(b) for s, b in batches.items()}
    roles = plan(method, arrives).loaded
    learner = Recorder({role: tables.model(role) for role in roles if role not in method.averages})
    trainer = Trainer(plan(method, arrives), learner, rates=lambda _: dict.fromkeys(roles, rate))
    trainer.states = dict(states or {})
    given = {s: b.add({"seed": 0, "step": 0}, {"seed": "", "step": ""}) for s, b in batches.items()}
    derived, _ = trainer.derive(When.ONCE, given)
    trainer.states = dict(states or {})
    trainer.carried = {**trainer.carried, **(carried or {})}
    metrics = trainer.train(batches)
    return Step(method, derived, metrics, learner.gradients, trainer.states, trainer.carried)


class _Tables:
    """Gives every token an id of its own, and collects what the models say about it."""

    def __init__(self, method: Method) -> None:
        known = method.vocabulary
        self.live = {n: f.source for n, f in known.items() if f.source and f.source.when is When.LIVE}
        self.axes = {s: known[n].axes for n, s in self.live.items()}
        self.entries: dict[Source, dict[int, float]] = {s: {} for s in self.live.values()}
        self.size = 0

    def row(self, a: Answer, number: int) -> Row:
        ids = range(self.size, self.size + 1 + a.length)
        self.size = ids.stop
        for name, source in self.live.items():
            if name in a.values:
                x = a.values[name]
                self.entries[source] |= (
                    {ids[-1]: x} if self.axes[source][:1] == "B" else dict(zip(ids[1:], x, strict=True))
                )
        columns = {n: x for n, x in a.values.items() if n not in self.live}
        written = (False,) + (True,) * a.length
        return Row(
            id=1000 * self.size + number,
            tokens=tuple(ids),
            trained=tuple(w and a.train for w in written),
            written=written,
            columns={n: [0.0, *x] if isinstance(x, list) else x for n, x in columns.items()},
        )

    def model(self, role: str) -> Lookup:
        mine = {s: x for s, x in self.entries.items() if s.model == role and x}
        tables = {s.output: self._table(x, 0.0 if self.axes[s][:1] == "B" else NEVER_READ) for s, x in mine.items()}
        return Lookup(tables, [s.output for s in mine if self.axes[s][:1] == "B"] + ["score"])

    def _table(self, entries: Mapping[int, Any], elsewhere: float) -> Tensor:
        one = next(iter(entries.values()))
        missing = [elsewhere] * len(one) if isinstance(one, list | tuple) else elsewhere
        return torch.tensor([entries.get(i, missing) for i in range(self.size)])
