"""The files of a comparison: results.json, table.md, table.csv and points.csv in its directory."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from posttrain.evaluation.compare.grid import Comparison
from posttrain.evaluation.compare.mismatch import mismatch
from posttrain.evaluation.compare.summary import Summary, columns, summaries
from posttrain.runs import durable

CAPTION = (
    "Means over seeds [95% intervals of Student's t]; differences are paired by seed. "
    "The best point is the best one during training."
)
EQUAL_KL = " At equal KL: the mean over the KL that both reach, for a policy further away earns more for that alone."
FORMS = {"training": "d (α - β log d)", "best_of_n": "d (α - β d)"}
LAW = "α and β of R(d) = {}, d = sqrt KL, with intervals by leaving out one seed at a time."


def write(comparison: Comparison) -> list[Path]:
    """Write all files but the figure, and return their paths."""
    rows = summaries(comparison)
    folder = comparison.directory
    files = {
        "results.json": json.dumps(as_data(comparison, rows), indent=2, ensure_ascii=False) + "\n",
        "table.md": markdown(comparison, rows),
        "table.csv": table_csv(rows, comparison),
        "points.csv": points_csv(comparison),
    }
    for name, text in files.items():
        durable.write_text(folder / name, text)
    return [folder / name for name in files]


def markdown(comparison: Comparison, rows: list[Summary]) -> str:
    """Render the table with its title, caption and facts as Markdown."""
    headings, cells = zip(*columns(comparison, rows), strict=True)
    lines = [headings, ["---"] * len(headings), *zip(*cells, strict=True)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    told = {**comparison.task.facts, **mismatch(comparison)}
    facts = "".join(f"- {name}: {value}\n" for name, value in told.items())
    law = f" {LAW.format(FORMS[comparison.task.law])}" if comparison.task.law else ""
    equal = EQUAL_KL if comparison.task.x[0] == "kl" and len(rows) > 1 else ""
    seeds = f"{rows[0].seeds} seeds" if rows[0].seeds > 1 else "one seed, so no intervals"
    return f"# {comparison.name}: {len(rows)} methods, {seeds}\n\n{table}\n\n{CAPTION}{equal}{law}\n\n{facts}"


def as_data(comparison: Comparison, rows: list[Summary]) -> dict[str, Any]:
    """Return all results as plain data for JSON. An interval that does not exist is null."""
    return {
        "task": comparison.name,
        "x": comparison.task.x,
        "y": comparison.task.y,
        "facts": {**comparison.task.facts, **_finite(mismatch(comparison))},
        "methods": [_finite(asdict(r)) for r in rows],
        "curves": comparison.curves,
    }


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table_csv(rows: list[Summary], comparison: Comparison) -> str:
    """Render one line per method; every mean has three columns: name, name_low, name_high."""
    (x, _), (y, _) = comparison.task.x, comparison.task.y
    flat = []
    for r in rows:
        means = {f"{y}_end": r.end, f"{y}_best": r.best, f"{x}_end": r.x_end, f"{x}_best": r.x_best, **r.others}
        means |= {"ahead_of_first": r.ahead or (0.0, 0.0, 0.0)}
        if comparison.task.x[0] == "kl":
            means |= {"ahead_at_equal_kl": r.at_equal_kl or ((math.nan,) * 3 if r.ahead else (0.0, 0.0, 0.0))}
        if r.law is not None:
            means |= {"alpha": (r.law.alpha, *r.law.alpha_interval), "beta": (r.law.beta, *r.law.beta_interval)}
        ends = ("", "_low", "_high")
        flat.append(
            {"method": r.method, "seeds": r.seeds}
            | {f"{n}{e}": v if math.isfinite(v) else "" for n, m in means.items() for e, v in zip(ends, m, strict=True)}
        )
    return _csv(flat)


def points_csv(comparison: Comparison) -> str:
    """Render one line per measurement: method, seed, step, and the values of the task."""
    return _csv(
        [
            {"method": method, "seed": seed, **point}
            for method, runs in comparison.curves.items()
            for seed, curve in runs.items()
            for point in curve
        ]
    )


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
