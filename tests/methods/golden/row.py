"""A row of the golden table: one batch of one method, and the numbers that it must give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from posttrain.core.method import MAIN
from tests.harness.numbers import Answer, answer, step
from tests.methods.preference.pair import CHOSEN, REJECTED, also


@dataclass(frozen=True)
class Golden:
    """Expected numbers: an int must be met exactly, a float to `within` (relative or absolute, the larger of the two),
    one number for a list stands for every element, and None is not compared.
    """

    path: str
    settings: Mapping[str, Any]
    answers: Sequence[Answer]
    batch: Mapping[str, Any]  # pairs, others, states, carried and scalars, as harness.numbers.step takes them
    metrics: Mapping[str, Any]
    gradients: Mapping[str, Any] = field(default_factory=dict)  # by model output, or `stream.output`; one per answer
    values: Mapping[str, Any] = field(default_factory=dict)  # tensors derived before the passes
    after: Mapping[str, Any] = field(default_factory=dict)  # the states that the next batch starts from
    carries: Mapping[str, float] = field(default_factory=dict)  # what is derived at the end, for the next batch
    within: float = 1e-8
    note: str = ""

    def __str__(self) -> str:
        changed = ", ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in self.settings.items())
        return " ".join(x for x in (self.path, changed, self.note) if x)

    def check(self) -> None:
        one = step(configure(load(self.path), self.settings), *self.answers, **self.batch)
        for name, expected in self.metrics.items():
            self._compare(one.metrics[name], expected, name)
        for key, expected in self.gradients.items():
            stream, _, name = key.rpartition(".")
            self._compare(one.gradient(name, stream or MAIN), expected, f"d loss / d {key}")
        for name, expected in self.values.items():
            found = one.batches[MAIN][name].tolist() if name == "pairs" else one.value(name)
            self._compare(found, expected, name)
        self._compare(one.states, self.after, "states after the batch")
        self._compare(one.carried, self.carries, "carried to the next batch")

    def _compare(self, found: Any, expected: Any, where: str) -> None:
        if isinstance(expected, Mapping):
            for key, x in expected.items():
                self._compare(found[key], x, f"{where}.{key}")
        elif isinstance(expected, Sequence):
            assert len(found) == len(expected), f"{self}: {where} has {len(found)} entries, not {len(expected)}"
            for i, (f, x) in enumerate(zip(found, expected, strict=True)):
                self._compare(f, x, f"{where}[{i}]")
        elif expected is not None and isinstance(found, list):
            self._compare(found, [expected] * len(found), where)
        elif expected is not None:
            near = expected if isinstance(expected, int) else pytest.approx(expected, rel=self.within, abs=self.within)
            assert found == near, f"{self}: {where} is {found}, not {expected}"


def batch(
    path: str,
    settings: Mapping[str, Any] | None = None,
    answers: Sequence[Answer] = (CHOSEN, REJECTED),
    *,
    loss: float | None = None,
    logp: Any = None,
    metrics: Mapping[str, Any] | None = None,
    gradients: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    carries: Mapping[str, float] | None = None,
    within: float = 1e-8,
    note: str = "",
    **given: Any,
) -> Golden:
    """A row of any answers. `logp`: d loss / d logp of each answer. `given`: what else the batch brings."""
    return Golden(
        path,
        settings or {},
        answers,
        given,
        {"loss": loss, **(metrics or {})},
        {"logp": logp, **(gradients or {})} if logp is not None else gradients or {},
        values or {},
        after or {},
        carries or {},
        within,
        note,
    )


def pair(
    path: str,
    settings: Mapping[str, Any] | None = None,
    answers: Sequence[Answer] = (CHOSEN, REJECTED),
    *,
    columns: Mapping[str, tuple[Any, Any]] | None = None,
    chosen: Any = None,
    rejected: Any = None,
    **expected: Any,
) -> Golden:
    """A row of one pair: `columns` of (the chosen, the rejected), and d loss / d logp of the tokens of either."""
    sides = [{n: c[i] for n, c in (columns or {}).items()} for i in range(2)]
    rows = [also(a, **side) for a, side in zip(answers, sides, strict=True)]
    return batch(path, settings, rows, pairs=[(0, 1)], logp=[chosen, rejected], **expected)


def pairs(
    path: str,
    settings: Mapping[str, Any] | None = None,
    *,
    gaps: Sequence[float] = (),
    logps: Sequence[tuple[float, float]] = (),
    ref_logps: Sequence[tuple[float, float]] = (),
    chosen: Any = None,
    rejected: Any = None,
    **expected: Any,
) -> Golden:
    """A row of pairs of answers of one token: their log-probs (chosen, rejected), or the gaps of their log-ratios."""
    logps = logps or [(gap, 0.0) for gap in gaps]
    both = zip(logps, ref_logps or [(0.0, 0.0)] * len(logps), strict=True)
    rows = [answer(logp=[p], ref_logp=[r]) for pair, ref in both for p, r in zip(pair, ref, strict=True)]
    n = len(logps)
    sides = [x if isinstance(x, Sequence) else [x] * n for x in (chosen, rejected)]
    gradient = [x for side in zip(*sides, strict=True) for x in side]
    return batch(path, settings, rows, pairs=[(2 * i, 2 * i + 1) for i in range(n)], logp=gradient, **expected)
