"""All findings about a run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from posttrain.runs.detectors import answers, metrics
from posttrain.runs.detectors.finding import Finding
from posttrain.runs.detectors.trend import Curves
from posttrain.runs.reader import RunReader

ANSWERS = 2000  # of the latest samples file that are read


def findings(curves: Curves, rows: answers.Rows = ()) -> list[Finding]:
    """Return what the detectors find in the curves of a run and in its latest answers."""
    found = [detector(curves) for detector in metrics.DETECTORS]
    found += [detector(rows) for detector in answers.DETECTORS]
    return [finding for finding in found if finding is not None]


def examined(run: RunReader) -> list[Finding]:
    """Return what is found in the files of a run. Raises StorageError for a damaged file."""
    curves = {name: curve for name, curve in curves_of(run.rows).items() if name not in run.left_out}
    return findings(curves, run.samples(ANSWERS))


def curves_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[list[int], list[float]]]:
    """Return steps and values of every metric of some rows, without what is no finite number."""
    curves: dict[str, tuple[list[int], list[float]]] = {}
    for row in rows:
        for name, value in row.items():
            if name != "step" and isinstance(value, int | float) and math.isfinite(value):
                steps, values = curves.setdefault(name, ([], []))
                steps.append(int(row["step"]))
                values.append(float(value))
    return curves
