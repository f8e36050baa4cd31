"""Reports on runs for a terminal: curves, last metrics, answers, and in what several runs differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from posttrain.runs.changes import changes
from posttrain.runs.detectors.detect import examined
from posttrain.runs.detectors.finding import Finding
from posttrain.runs.metrics import is_timing
from posttrain.runs.reader import RunReader
from posttrain.viewer.curves import Curve, sparkline
from posttrain.viewer.panel import HEADLINES, panel
from posttrain.viewer.progress import Progress
from posttrain.viewer.terminal import escaped, number

TALL = 50  # lines of a panel that nothing else shares a screen with
CURVE = 24  # columns of a curve in a table
WHERE = ("name", "output", "device")  # settings in which any two runs differ
SHOWN = 2000  # characters of an answer


def report(run: RunReader, width: int, samples: int = 0) -> Iterator[RenderableType]:
    """Draw one run: its curves, the latest metrics, evaluations, and some answers."""
    if run.rows:
        yield panel(replayed(run), replayed(run).ended or 0.0, width, TALL)
    else:
        yield Text(f"{run.folder}: no metrics yet")
    yield line("status", run.status)
    for evaluation in run.evaluations:
        yield line("evaluation", evaluation)
    for found in examined(run):
        yield Text(finding(found), "yellow")
    yield from metrics_table([run])
    for row in run.samples(samples):
        yield sample(row)


def finding(found: Finding) -> str:
    """Say what a detector found and what to try, on two lines."""
    since = "" if found.since is None else f" (since step {found.since})"
    return f"  {escaped(found.name)}: {escaped(found.says)}{since}\n    try: {found.remedy}"


def compared(runs: Sequence[RunReader], samples: int = 0) -> Iterator[RenderableType]:
    """Draw several runs side by side: status, headline curves, latest metrics, and the settings that differ."""
    for run in runs:
        yield line(run.name, run.status)
        yield from (line("", evaluation) for evaluation in run.evaluations)
    yield from curves_table(runs)
    yield from metrics_table(runs)
    yield from settings_table(runs)
    for run in runs:
        if rows := run.samples(samples):
            yield line("answers of", run.name)
            yield from (sample(row) for row in rows)


def replayed(run: RunReader) -> Progress:
    """Rebuild the progress of a run from its metrics; the time is that of its steps."""
    now, progress = 0.0, Progress(title(run), total(run), 0.0, step=0)
    for row in run.rows:
        now += float(row.get("step_time") or 0.0)
        progress.update(int(row["step"]), {n: x for n, x in row.items() if n not in {"step", *run.left_out}}, now)
    progress.ended, progress.why = now, str(run.ended.get("why") or "")
    return progress


def title(run: RunReader) -> str:
    """Name a run with its method and model."""
    named, model = run.config.get("procedure") or run.config.get("method"), run.config.get("model")
    paths = [x.get("path") if isinstance(x, dict) else x for x in (named, model)]
    return "  ".join([run.name, *(str(path) for path in paths if path)])


def total(run: RunReader) -> int:
    """Return the steps that a run was to take, as far as its settings say, and else those that it took."""
    asked = (run.config.get("train") or {}).get("steps") if run.config.get("procedure") is None else None
    return max(int(asked or 0), run.steps)


def line(label: str, text: str) -> Text:
    """Return a label and a text, with the control characters of both escaped."""
    return Text.assemble((f"{escaped(label):<12}", "bold"), escaped(text))


def curves_table(runs: Sequence[RunReader]) -> Iterator[Table]:
    """Draw the headline metric of each run."""
    table = Table(box=None, pad_edge=False)
    for heading in ("run", "metric", "first", "last", "best", "curve"):
        table.add_column(heading, no_wrap=True)
    for run in runs:
        name = next((n for n in HEADLINES if n in run.last and n not in run.left_out), None)
        values = [float(row[name]) for row in run.rows if isinstance(row.get(name), int | float)] if name else []
        if name is None or not values:
            continue
        curve = Curve()
        for value in values:
            curve.add(value)
        best = min(values) if "loss" in name else max(values)
        cells = [number(x) for x in (values[0], values[-1], best)]
        table.add_row(escaped(run.name), name, *cells, sparkline(curve.columns(CURVE)))
    if table.row_count:
        yield table


def metrics_table(runs: Sequence[RunReader]) -> Iterator[Table]:
    """List the latest value of every metric of every run, and nothing for one whose value says nothing there."""
    last = [{n: x for n, x in run.last.items() if n not in run.left_out and not is_timing(n)} for run in runs]
    if names := list(dict.fromkeys(name for values in last for name in values)):
        yield side_by_side("metric", runs, {n: [number(values.get(n)) for values in last] for n in names})


def settings_table(runs: Sequence[RunReader]) -> Iterator[RenderableType]:
    """List the settings in which some runs differ from the first one."""
    differing = sorted({key for run in runs[1:] for key in changes(runs[0].config, run.config)} - set(WHERE))
    if not differing:
        yield line("settings", "all the same")
        return
    empty: dict[str, Any] = {}
    flat = [{key: value for key, (_, value) in changes(empty, run.config).items()} for run in runs]
    yield side_by_side("setting", runs, {k: [escaped(str(f.get(k, "-"))) for f in flat] for k in differing})


def side_by_side(heading: str, runs: Sequence[RunReader], rows: dict[str, list[str]]) -> Table:
    """Return a table with a column for each run."""
    table = Table(box=None, pad_edge=False)
    table.add_column(heading, style="bold")
    for run in runs:
        table.add_column(Text(escaped(run.name)), justify="right", overflow="fold")
    for name, cells in rows.items():
        table.add_row(Text(escaped(name)), *(Text(cell) for cell in cells))
    return table


def sample(row: dict[str, Any]) -> Text:
    """Return a prompt, an answer and its reward, control characters escaped line by line."""
    asked = row.get("prompt") or ""
    if not isinstance(asked, str):
        asked = "\n".join(f"{message.get('role')}: {message.get('content')}" for message in asked)
    head = Text(f"step {row['step']}  reward {number(row.get('reward'))}\n", "bold")
    return head.append(f"{lines(asked)}\n", "grey62").append(f"{lines(str(row.get('completion')))}\n", "default")


def lines(text: str) -> str:
    """Return a text of many lines, shortened and escaped."""
    return "\n".join(map(escaped, text[:SHOWN].split("\n")))
