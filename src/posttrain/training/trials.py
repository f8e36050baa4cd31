"""Trials: runs of other run files inside a run, with some of their keys changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from posttrain.errors import ConfigError
from posttrain.runs.metrics import read_metrics


class Trial(Protocol):
    """Runs a run file with changed keys, and returns its directory."""

    def __call__(self, name: str, file: str, changes: Mapping[str, Any]) -> Path: ...


def no_trial(name: str, file: str, changes: Mapping[str, Any]) -> Path:
    """Refuse: a session that was not opened from a run file has nowhere to run another one."""
    raise ConfigError(f"trial {name} of {file} with {dict(changes)}: this session has no run directory to run it in")


def last_value(run: Path, measure: str) -> float:
    """Return the last value of a metric of a run. Raises ConfigError with what it has where there is none."""
    rows = list(read_metrics(run / "metrics.jsonl"))
    values = [row[measure] for row in rows if isinstance(row.get(measure), int | float)]
    if not values:
        known = sorted({name for row in rows for name, x in row.items() if isinstance(x, int | float)} - {"step"})
        raise ConfigError(f"procedure.measure: {run} has no metric {measure!r}; it has {', '.join(known)}")
    return float(values[-1])
