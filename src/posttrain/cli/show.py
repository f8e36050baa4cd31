"""`posttrain show RUN...`: the curves, numbers and answers of runs, and in what they differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from posttrain.runs.reader import RunReader


def show(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Folders of runs, or of many runs.", show_default=False),
    ],
    samples: Annotated[int, typer.Option(help="Answers of the latest step with samples to show.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
    html: Annotated[Path | None, typer.Option(help="Also write the page to this file.", show_default=False)] = None,
) -> None:
    """Show one run, or compare several: curves, latest metrics, evaluations, answers, settings that differ."""
    from rich.console import Console
    from rich.text import Text

    from posttrain.runs.reader import find_runs
    from posttrain.viewer.report import compared, report

    found = find_runs(runs)
    if as_json:
        typer.echo(json.dumps([described(run, samples) for run in found], indent=2, ensure_ascii=False))
        return
    console = Console(record=html is not None, highlight=False)
    width = min(console.width, 120)
    for block in report(found[0], width, samples) if len(found) == 1 else compared(found, samples):
        if not isinstance(block, Text):
            console.print()
        console.print(block)
    for line in order_of_learning(found[0]) if len(found) == 1 else ():
        console.print(Text(line))
    if html is not None:
        write_page(html, console.export_html(), found)
        typer.echo(str(html))


def order_of_learning(run: RunReader) -> Iterator[str]:
    """Yield which groups of a suite were learned first, for every metric that is measured by group."""
    from posttrain.evaluation.metrics.dynamics import curves_of, learned

    for metric, curves in curves_of(run.rows).items():
        if any(len(curve) > 1 for curve in curves.values()):
            yield f"{metric}, in the order of learning"
            yield from (f"  {one}" for one in learned(curves))


def described(run: RunReader, samples: int) -> dict[str, Any]:
    """Return a run as plain data."""
    return {
        "run": str(run.folder),
        "status": run.status,
        "ended": dict(run.ended),
        "steps": run.steps,
        "metrics": run.last,
        "evaluations": run.evaluations,
        "samples": run.samples(samples),
        "config": run.config,
    }


def write_page(file: Path, page: str, runs: Sequence[RunReader]) -> None:
    """Write the page. Raises StorageError if that fails."""
    from html import escape

    from posttrain.errors import StorageError

    head = f"<title>{escape(', '.join(run.name for run in runs))}</title>"
    try:
        file.write_text(page.replace("<head>", f"<head>{head}", 1), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{file}: cannot be written ({error.strerror}); choose another file") from error
