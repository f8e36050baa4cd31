"""Results that a new attempt would replace: they move to `replaced/attempt_<n>/`, and nothing is deleted."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

FOLDER = "replaced"
MODELS, ARTEFACTS = ("final", "models"), "artefacts"
STEP = re.compile(r"(?:step|checkpoint)-(\d+)(?:\.\w+)?")


def set_aside(run: Path, attempt: int, after: int) -> Path | None:
    """Move what a run made after a step, since it will take another course from there. Return where, if there was any.

    Of metrics and artefacts a copy is set aside: a part of them may be of earlier steps.
    """
    target = run / FOLDER / f"attempt_{attempt}"
    moved = [_move(run / name, target / name) for name in MODELS if (run / name).is_dir()]
    moved += [
        _move(entry, target / folder / entry.name)
        for folder in ("samples", "checkpoints")
        for entry in sorted((run / folder).glob("*"))
        if (match := STEP.fullmatch(entry.name)) and int(match[1]) > after
    ]
    metrics = run / "metrics.jsonl"
    if metrics.is_file() and metrics.stat().st_size and _last_step(metrics) > after:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy2(metrics, target / metrics.name)
        moved.append(metrics)
    if moved and (run / ARTEFACTS).is_dir():
        shutil.copytree(run / ARTEFACTS, target / ARTEFACTS)
    return target if moved else None


def _move(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)
    return target


def _last_step(metrics: Path) -> int:
    """Return the step of the last row; a torn or foreign line counts as later than any step."""
    match = re.match(rb'\{"step": (\d+)', metrics.read_bytes().rstrip(b"\n").rpartition(b"\n")[2])
    return int(match[1]) if match else 1 << 62
