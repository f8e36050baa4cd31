"""The figure of a comparison: y against x (reward against the distance from the reference), one line per method."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from posttrain.errors import MissingExtraError
from posttrain.evaluation.compare.cell import Point
from posttrain.evaluation.compare.grid import Comparison
from posttrain.evaluation.compare.summary import law_of
from posttrain.evaluation.statistics import mean_interval

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#8C6D31")  # Okabe and Ito
MARKERS = "osD^vPX*"
TICKS = (0, 0.25, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


def available() -> bool:
    """Whether matplotlib is installed."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def draw(comparison: Comparison) -> list[Path]:
    """Write figure.png and figure.svg into the comparison's directory. Raises MissingExtraError without matplotlib."""
    if not available():
        raise MissingExtraError("the figure of a comparison", "plot")
    from matplotlib.figure import Figure  # not pyplot, which has global state

    figure = Figure(figsize=(7.2, 4.6), dpi=160, layout="constrained")
    axes = figure.add_subplot()
    for number, (method, runs) in enumerate(comparison.curves.items()):
        round_, place = divmod(number, len(COLOURS))  # methods beyond the colours have open markers
        colour = COLOURS[place]
        _line(axes, comparison, method, runs, colour, MARKERS[place], fill="white" if round_ else colour)
        if comparison.task.law and not crowded(comparison):
            _law(axes, comparison, runs, colour)
    _frame(axes, comparison)
    paths = [comparison.directory / f"figure.{suffix}" for suffix in ("png", "svg")]
    for path in paths:
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    return paths


def band(comparison: Comparison, runs: Mapping[int, Sequence[Point]]) -> list[tuple[float, float, float, float]]:
    """Return (mean x, mean y, low y, high y) over the seeds, for each measured step."""
    (x, _), (y, _) = comparison.task.x, comparison.task.y
    points = zip(*runs.values(), strict=True)
    return [(sum(p[x] for p in at) / len(at), *mean_interval([p[y] for p in at])) for at in points]


def crowded(comparison: Comparison) -> bool:
    """Whether the methods are too many for their bands and laws to be told apart."""
    return len(comparison.curves) > len(COLOURS)


def _line(axes: Any, comparison: Comparison, method: str, runs: Any, colour: str, marker: str, *, fill: str) -> None:
    x, y, low, high = zip(*band(comparison, runs), strict=True)
    look = {"color": colour, "marker": marker, "markerfacecolor": fill, "markersize": 4.5, "linewidth": 1.8}
    axes.plot(x, y, label=method, zorder=3, **look)
    if all(map(math.isfinite, low)) and not crowded(comparison):
        x, low, high = zip(*sorted(zip(x, low, high, strict=True)), strict=True)  # KL may decrease between steps
        axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0, zorder=1)


def _law(axes: Any, comparison: Comparison, runs: Any, colour: str) -> None:
    """Draw the fitted law, dashed, up to the largest KL of the method."""
    law = law_of(comparison, runs)
    end = max(p[0] for p in band(comparison, runs))
    kl = [end * (i / 100) ** 2 for i in range(101)]
    axes.plot(kl, [law.at(k) for k in kl], color=colour, linestyle=(0, (4, 3)), linewidth=1, zorder=2)


def _frame(axes: Any, comparison: Comparison) -> None:
    task = comparison.task
    seeds = len(next(iter(comparison.curves.values())))
    if task.x[0] == "kl":
        axes.set_xscale("function", functions=(_root, _square))
        axes.set_xlim(left=0)
        axes.set_xticks([t for t in TICKS if t <= axes.get_xlim()[1]])
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    if task.chance is not None:
        axes.axhline(task.chance, color="#888888", linewidth=0.9, linestyle=":", label="chance")
    axes.set_xlabel(f"{task.x[1]}{', square-root scale' if task.x[0] == 'kl' else ''}")
    axes.set_ylabel(task.y[1])
    many = crowded(comparison)
    shown = f"mean of {seeds} seeds, 95% intervals{' in the table' if many else ''}" if seeds > 1 else "one seed"
    law = "; dashed: fitted law" if task.law and not many else ""
    axes.set_title(f"{comparison.name}: {shown}{law}", fontsize=10, loc="left")
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    beside = {"loc": "center left", "bbox_to_anchor": (1, 0.5)} if many else {}
    axes.legend(frameon=False, fontsize=9, **beside)


def _root(x: Any) -> Any:
    return abs(x) ** 0.5


def _square(x: Any) -> Any:
    return x**2
