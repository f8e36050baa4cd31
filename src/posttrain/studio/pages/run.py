"""One run: its curves, how it stands, what was measured, what it kept, how it was set and where it ran."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posttrain.runs.changes import flattened
from posttrain.runs.detectors.detect import ANSWERS, findings
from posttrain.runs.detectors.finding import Finding
from posttrain.runs.manifest import is_committed
from posttrain.runs.reader import RunReader
from posttrain.studio.folders import plain_files, sampled_steps
from posttrain.studio.pages.runs import headline_metrics, metric_names, smoothing
from posttrain.studio.studio import Studio

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TAIL = 20_000  # bytes of the log


def run(studio: Studio, request: Request) -> Response:
    """Show a run."""
    name = request.path_params["run"]
    found = studio.folders.run(name)
    columns = studio.series.of(found.folder)
    metrics = metric_names(studio, [found])
    shown = [m for m in request.query_params.getlist("metric") if m in metrics] or headline_metrics(metrics)
    return studio.page(
        request, "run.html", name=name, status=found.status_at(columns.last), metrics=metrics, shown=shown,
        smooth=smoothing(request), last={m: columns.raw(m)[1][-1] for m in metrics}, damaged=columns.damaged,
        evaluations=found.evaluations, measured=[f.stem for f in plain_files(found.folder / "evaluations", ".jsonl")],
        checkpoints=checkpoints(found.folder), steps=list(sampled_steps(found.folder)), log=log_of(found),
        provenance=flattened({k: v for k, v in found.facts.items() if k not in ("ended", "metrics")}),
        config=flattened(found.config), ended=bool(found.ended), findings=found_in(studio, found, metrics),
    )  # fmt: skip


def found_in(studio: Studio, found: RunReader, metrics: list[str]) -> list[Finding]:
    """Return what the detectors find in the metrics and the latest answers of a run."""
    columns, steps = studio.series.of(found.folder), sampled_steps(found.folder)
    rows = studio.samples.of(steps[max(steps)]) if steps else []
    return findings({name: columns.raw(name) for name in metrics}, rows[:ANSWERS])


def checkpoints(folder: Path) -> list[dict[str, Any]]:
    """Return the checkpoints of a run, by step: name, size in bytes, time, and whether its save was finished."""
    found = []
    inside = (folder / "checkpoints").iterdir() if (folder / "checkpoints").is_dir() else ()
    for checkpoint in inside:
        if checkpoint.is_symlink() or not checkpoint.is_dir() or not checkpoint.name.startswith("checkpoint-"):
            continue
        files = [file.lstat() for file in checkpoint.iterdir()]
        when = datetime.fromtimestamp(checkpoint.stat().st_mtime, UTC).isoformat(" ", timespec="minutes")[:16]
        size = sum(about.st_size for about in files)
        found.append({"name": checkpoint.name, "size": size, "time": when, "finished": is_committed(checkpoint)})
    return sorted(found, key=lambda c: (len(c["name"]), c["name"]))


def log_of(found: RunReader) -> str:
    """Return the end of the last attempt's log."""
    file = found.folder / "logs" / f"attempt_{found.facts.get('attempt', 1)}" / "run.log"
    if not file.is_file() or not file.resolve().is_relative_to(found.folder.resolve()):
        return ""
    with file.open("rb") as content:
        content.seek(max(file.stat().st_size - TAIL, 0))
        return content.read().decode("utf-8", "replace")
