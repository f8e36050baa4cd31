"""The summary of a comparison: means over seeds with 95% intervals, and differences paired by seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from posttrain.evaluation.compare.cell import Point
from posttrain.evaluation.compare.grid import Comparison
from posttrain.evaluation.gap import overlap, paired
from posttrain.evaluation.overoptimisation import FittedLaw, fit
from posttrain.evaluation.statistics import mean_interval

Mean = tuple[float, float, float]  # mean, low, high
Curve = Sequence[Point]
Runs = Mapping[int, Curve]  # seed -> points
NOT_SHARED = "no KL in common"


@dataclass(frozen=True)
class Summary:
    """One row of the table. `best` is the best point of each seed's training, which only the gold reward can tell."""

    method: str
    seeds: int
    end: Mean  # of y, after the last step
    best: Mean
    x_end: Mean
    x_best: Mean
    ahead: Mean | None  # y at the end minus that of the first method at the same seed; None for the first
    at_equal_kl: Mean | None  # y minus that of the first where both have the same KL; None if nowhere
    others: Mapping[str, Mean]  # the other measurements of the task, after the last step
    law: FittedLaw | None


def summaries(comparison: Comparison) -> list[Summary]:
    """Summarise each method, in the order in which they were named."""
    first = next(iter(comparison.curves.values()))
    return [_summary(comparison, method, runs, first) for method, runs in comparison.curves.items()]


def _summary(comparison: Comparison, method: str, runs: Runs, first: Runs) -> Summary:
    (x, _), (y, _) = comparison.task.x, comparison.task.y

    def best(curve: Curve) -> Point:
        return max(curve, key=lambda point: point[y])

    def over(value: Callable[[Curve], float]) -> Mean:
        return mean_interval([value(runs[seed]) for seed in sorted(runs)])

    measured = next(iter(runs.values()))[-1]
    return Summary(
        method=method,
        seeds=len(runs),
        end=over(lambda c: c[-1][y]),
        best=over(lambda c: best(c)[y]),
        x_end=over(lambda c: c[-1][x]),
        x_best=over(lambda c: best(c)[x]),
        ahead=None
        if runs is first
        else mean_interval([runs[s][-1][y] - first[s][-1][y] for s in sorted(runs.keys() & first.keys())]),
        at_equal_kl=None if runs is first else at_equal_kl(comparison, runs, first),
        others={n: mean_interval([c[-1][n] for c in runs.values()]) for n in measured if n not in ("step", x, y)},
        law=law_of(comparison, runs) if comparison.task.law else None,
    )


def law_of(comparison: Comparison, runs: Runs) -> FittedLaw:
    """Fit the law of over-optimisation to all points: y, which is 0 at the reference, against the KL."""
    (x, _), (y, _) = comparison.task.x, comparison.task.y
    return fit([[(p[x], p[y]) for p in curve] for curve in runs.values()], comparison.task.law or "training")


def at_equal_kl(comparison: Comparison, runs: Runs, first: Runs) -> Mean | None:
    """Compare two methods over the KL that both reach (evaluation/gap.py); None if x is no KL or no seed has such KL.

    A policy that went further from the reference earns more for that alone, which a difference at the last step hides.
    """
    (x, _), (y, _) = comparison.task.x, comparison.task.y
    if x != "kl":
        return None
    both = [[[(p[x], p[y]) for p in curves[s]] for curves in (runs, first)] for s in sorted(runs.keys() & first.keys())]
    shared = [(one, two) for one, two in both if overlap(one, two)]
    return paired(*zip(*shared, strict=True)) if shared else None


def columns(comparison: Comparison, rows: Sequence[Summary], *, brief: bool = False) -> list[tuple[str, list[str]]]:
    """Return the table as text: (heading, one cell per method). `brief`: only what fits into 80 columns."""
    (x, _), (y, _) = comparison.task.x, comparison.task.y
    table = [
        ("method", [r.method for r in rows]),
        (f"last {y}", [interval(r.end) for r in rows]),
    ]
    if len(rows) > 1:
        table.append((f"minus {rows[0].method}'s", ["" if r.ahead is None else interval(r.ahead) for r in rows]))
    table += [
        (f"best {y}", [interval(r.best) for r in rows]),
        (f"at {x}", [number(r.x_best[0]) for r in rows]),
    ]
    return table if brief else table + _details(x, rows)


def _details(x: str, rows: Sequence[Summary]) -> list[tuple[str, list[str]]]:
    first = rows[0].method
    details = [
        (f"{x} at the end", [interval(r.x_end) for r in rows]),
        *([(f"minus {first}'s at equal KL", [apart(r, first) for r in rows])] if x == "kl" and len(rows) > 1 else []),
        *((name, [interval(r.others[name]) for r in rows]) for name in rows[0].others),
    ]
    if rows[0].law is not None:
        laws = [r.law for r in rows if r.law is not None]
        details += [
            ("α", [interval((w.alpha, *w.alpha_interval)) for w in laws]),
            ("β", [interval((w.beta, *w.beta_interval)) for w in laws]),
        ]
    return details


def apart(row: Summary, first: str) -> str:
    """Format the difference at equal KL."""
    if row.method == first:
        return ""
    return NOT_SHARED if row.at_equal_kl is None else interval(row.at_equal_kl)


def interval(mean: Mean) -> str:
    """Format a mean as `0.41 [0.30, 0.52]`, without an interval if there is none."""
    value, low, high = mean
    return number(value) if math.isinf(low) else f"{number(value)} [{number(low)}, {number(high)}]"


def number(value: float) -> str:
    """Format a number with two decimals, or none from 100 on."""
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
