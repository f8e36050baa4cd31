"""What a model gets on a suite: numbers with intervals, what went wrong, what it cost, and what was asked."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from posttrain.evaluation.metrics.generalisation import Gap, gap
from posttrain.evaluation.statistics import student
from posttrain.evaluation.suite import Contrast, Item, Metric, Suite, Whole
from posttrain.evaluation.summary import Difference, Summary, difference, summary
from posttrain.seeds import seed_for

Number = Summary | Difference | Gap
Side = Sequence[tuple[Mapping[str, Any], float]]  # columns and score of the questions on one side
BLOCKS = 20  # of questions, of which the jackknife leaves one out


@dataclass(frozen=True)
class Cost:
    """Tokens that a model read and wrote, and seconds on the clock."""

    read: int
    written: int
    seconds: float


@dataclass(frozen=True)
class SuiteResult:
    """What a model gets on a suite.

    `numbers` by name: `accuracy`, `accuracy[level=2]` of a group, `accuracy.effect` of a contrast. `scores`: the means
    of each metric by question, for a comparison of two models. `counters`: items without an answer, cut, without a
    number of a metric. `ids`: of the data, of what was read (questions in their template) and of how they were asked.
    """

    name: str
    items: list[Item]
    numbers: dict[str, Number]
    scores: dict[str, dict[int, float]]
    counters: dict[str, int]
    cost: Cost
    ids: dict[str, str]

    def __str__(self) -> str:
        whole = [f"{self.name}.{n} {x}" for n, x in self.numbers.items() if "[" not in n]
        return ", ".join(whole) or f"{self.name}: no number"


def result(name: str, suite: Suite, items: Sequence[Item], *, seconds: float, ids: Mapping[str, str]) -> SuiteResult:
    """Compute all numbers of a suite from its items."""
    scores = {metric: means(items, of) for metric, of in suite.metrics.items()}
    scores |= {metric: by_question(items, of) for metric, of in suite.per_question.items()}
    numbers: dict[str, Number] = {n: summary(own) for n, own in scores.items() if own}
    for column in suite.groups:
        numbers |= dict(_grouped(suite, scores, column))
    for whole, of_all in suite.wholes.items():
        if (found := jackknife(items, of_all)) is not None:
            numbers[whole] = found
    numbers |= dict(_contrasts(suite, scores))
    cost = Cost(
        sum(r.read for i in items for r in i.replies), sum(len(r.logp) for i in items for r in i.replies), seconds
    )
    return SuiteResult(name, list(items), numbers, scores, _counters(suite, items), cost, dict(ids))


def means(items: Sequence[Item], metric: Metric) -> dict[int, float]:
    """Average a metric over the samples of each question, without those that have no number."""
    found: dict[int, list[float]] = {}
    for item in items:
        if (x := metric(item)) is not None:
            found.setdefault(item.prompt.id, []).append(float(x))
    return {i: fmean(xs) for i, xs in found.items()}


def by_question(items: Sequence[Item], metric: Whole) -> dict[int, float]:
    """Compute a metric of all samples of each question, without questions that have no number."""
    own: dict[int, list[Item]] = {}
    for item in items:
        own.setdefault(item.prompt.id, []).append(item)
    found = {i: metric(group) for i, group in own.items()}
    return {i: float(x) for i, x in found.items() if x is not None}


def jackknife(items: Sequence[Item], whole: Whole) -> Summary | None:
    """Return a number of all items with its 95% interval, from leaving out one block of questions after the other.

    The blocks take turns: question k is in block k mod 20. None where all items together have no number; without an
    interval (minus and plus infinity) where one of the parts has none, or there is a single question.
    """
    value = whole(items)
    if value is None:
        return None
    ids = list(dict.fromkeys(item.prompt.id for item in items))
    n = min(BLOCKS, len(ids))
    block = {identity: k % n for k, identity in enumerate(ids)}
    parts = [whole([i for i in items if block[i.prompt.id] != b]) for b in range(n)] if n > 1 else []
    numbers = [x for x in parts if x is not None]
    if n < 2 or len(numbers) < n:
        return Summary(value, -math.inf, math.inf, len(ids))
    middle = fmean(numbers)
    half = student(n - 1) * math.sqrt((n - 1) / n * sum((x - middle) ** 2 for x in numbers))
    return Summary(value, value - half, value + half, len(ids))


def _grouped(suite: Suite, scores: Mapping[str, Mapping[int, float]], column: str) -> Iterator[tuple[str, Summary]]:
    values = {p.id: p.columns[column] for p in suite.prompts}
    for name, own in scores.items():
        for value in dict.fromkeys(values.values()):
            if group := {i: x for i, x in own.items() if values[i] == value}:
                yield f"{name}[{column}={value}]", summary(group)


def _contrasts(suite: Suite, scores: Mapping[str, Mapping[int, float]]) -> Iterator[tuple[str, Number]]:
    """Yield the effect of each contrast on each metric: paired and with the exact sign test, or of two sets."""
    columns = {p.id: p.columns for p in suite.prompts}
    for contrast in suite.contrasts:
        for name, own in scores.items():
            treated, control = (
                [(columns[i], x) for i, x in own.items() if columns[i][contrast.column] == value]
                for value in (contrast.treated, contrast.control)
            )
            if (found := _effect(contrast, treated, control)) is not None:
                yield f"{name}.{contrast.name}", found


def _effect(contrast: Contrast, treated: Side, control: Side) -> Number | None:
    if not treated or not control:
        return None
    if contrast.by is None:
        return gap([x for _, x in treated], [x for _, x in control])
    paired: list[dict[Any, float]] = []
    for side in (treated, control):
        own: dict[Any, list[float]] = {}
        for columns, x in side:
            own.setdefault(columns[contrast.by], []).append(x)
        paired.append({key: fmean(xs) for key, xs in own.items()})
    return difference(*paired) if paired[0].keys() & paired[1].keys() else None


def _counters(suite: Suite, items: Sequence[Item]) -> dict[str, int]:
    replies = [r for i in items for r in i.replies]
    counted = {
        "replies": len(replies),
        "no answer": sum(r.answer is None for r in replies),
        "cut": sum(not r.ended for r in replies),
    }
    if suite.judge is not None:
        counted["no verdict"] = sum(v is None for i in items for v in (i.verdicts or (None,)))
    unscored = {f"no {n}": sum(of(i) is None for i in items) for n, of in suite.metrics.items()}
    return counted | {n: k for n, k in unscored.items() if k}


def identity(content: Any) -> str:
    """Identify plain data by a short hash: equal data have equal ids."""
    return f"{seed_for(json.dumps(content, sort_keys=True, default=str, ensure_ascii=False)):014x}"
