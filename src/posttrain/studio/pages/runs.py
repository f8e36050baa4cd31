"""All runs in a list, and some of them over each other."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from posttrain.runs.changes import changes, flattened
from posttrain.runs.metrics import is_timing
from posttrain.runs.reader import RunReader
from posttrain.studio.access.roles import ANNOTATOR
from posttrain.studio.drawing import spark
from posttrain.studio.pages.parameters import asked, decimal, whole
from posttrain.studio.refusal import invalid
from posttrain.studio.series import POINTS, sketch
from posttrain.studio.studio import Studio
from posttrain.viewer.panel import CURVES, HEADLINES
from posttrain.viewer.report import WHERE

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

SKETCHED = 24  # points of the small curve in the list
TOGETHER = 12  # most runs over each other


@dataclass(frozen=True)
class Line:
    """A run in the list."""

    name: str
    state: str  # one word
    status: str
    trains: str
    metric: str
    value: float | None
    points: str  # of the small curve, as an SVG polyline
    started: str


def home(_: Studio, request: Request) -> Response:
    """Go where a person of this role works."""
    from starlette.responses import RedirectResponse

    desk = request.state.session.role == ANNOTATOR
    return RedirectResponse("/projects" if desk else "/runs", HTTPStatus.SEE_OTHER)


def runs(studio: Studio, request: Request) -> Response:
    """List the runs, with a curve of each."""
    opened = {name: RunReader(folder) for name, folder in studio.folders.runs().items()}
    lines = [line(name, run, studio.title(run)) for name, run in opened.items()]
    wanted = asked(request, "q").lower()
    found = [row for row in lines if wanted in f"{row.name} {row.status} {row.trains}".lower()]
    return studio.page(request, "runs.html", lines=found, total=len(lines), q=asked(request, "q"))


def line(name: str, run: RunReader, trains: str) -> Line:
    """Describe a run by a few of its rows: those of a long run are not all read."""
    rows = sketch(run.folder / "metrics.jsonl", SKETCHED)
    last = rows[-1] if rows else {}
    metric = next((n for n in HEADLINES if isinstance(last.get(n), int | float) and n not in run.left_out), "")
    curve = [(row["step"], row[metric]) for row in rows if isinstance(row.get(metric), int | float)]
    status = run.status_at(int(last.get("step", 0)))
    return Line(
        name=name,
        state=status.split(" ", 1)[0].rstrip(","),
        status=status,
        trains=trains,
        metric=metric,
        value=last.get(metric),
        points=spark(curve),
        started=str(run.facts.get("started", ""))[:16].replace("T", " "),
    )


def compare(studio: Studio, request: Request) -> Response:
    """Draw several runs over each other, and list the settings in which they differ."""
    every = list(studio.folders.runs())
    names = list(dict.fromkeys(request.query_params.getlist("run")))[:TOGETHER]
    chosen = {name: studio.folders.run(name) for name in names}
    metrics = metric_names(studio, list(chosen.values()))
    shown = [m for m in request.query_params.getlist("metric") if m in metrics] or headline_metrics(metrics)
    first, *others = chosen.values() if chosen else (None,)
    differing = sorted({k for o in others if o and first for k in changes(first.config, o.config)} - set(WHERE))
    settings = {n: flattened(r.config) for n, r in chosen.items()}
    return studio.page(
        request, "compare.html", every=every, names=names, metrics=metrics, shown=shown,
        smooth=smoothing(request), settings={k: [settings[n].get(k) for n in names] for k in differing},
        status={n: run.status_at(studio.series.of(run.folder).last) for n, run in chosen.items()}, together=TOGETHER,
    )  # fmt: skip


def metric_names(studio: Studio, chosen: list[RunReader]) -> list[str]:
    """Return the metrics of some runs that say something: the best known first, times of the machine last."""
    names = dict.fromkeys(n for run in chosen for n in studio.series.of(run.folder).names() if n not in run.left_out)
    order = list(CURVES)
    known = [n for n in order if n in names]
    others = sorted(set(names) - set(known), key=lambda n: (is_timing(n), n))
    return known + others


def headline_metrics(metrics: list[str]) -> list[str]:
    """Return the metrics that are drawn if nobody chooses."""
    usual = [n for n in metrics if n in CURVES][:6]
    return usual or metrics[:4]


def smoothing(request: Request) -> float:
    """Return how much curves are smoothed, 0 to 0.99."""
    return decimal(asked(request, "smooth", "0"), "smooth", 0.0, 0.99)


def curves(studio: Studio, request: Request) -> Response:
    """Return a metric of some runs as JSON: `{"runs": [{"name", "steps", "values"}]}`."""
    from starlette.responses import JSONResponse

    names = list(dict.fromkeys(request.query_params.getlist("run")))
    if not 0 < len(names) <= TOGETHER:
        raise invalid(f"run: name 1 to {TOGETHER} runs, not {len(names)}")
    points = whole(asked(request, "points", str(POINTS)), "points", 10, 5000)
    drawn: list[dict[str, Any]] = []
    for name in names:
        columns = studio.series.of(studio.folders.run(name).folder)
        steps, values = columns.curve(asked(request, "metric"), smoothing(request), points)
        drawn.append({"name": name, "steps": steps, "values": values})
    return JSONResponse({"runs": drawn})
