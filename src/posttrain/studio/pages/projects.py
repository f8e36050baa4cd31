"""Projects: a list, how far each is, how its annotators agree, adjudication, and exports."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from posttrain.data.feedback.act import act_of, is_act
from posttrain.errors import DataError, PosttrainError
from posttrain.studio.access.roles import OWNER
from posttrain.studio.annotation.desk import ADJUDICATOR
from posttrain.studio.annotation.export import SHAPES
from posttrain.studio.annotation.items import Item, item_of, of_samples, read_lines
from posttrain.studio.annotation.progress import disagreements, progress, report
from posttrain.studio.annotation.project import KINDS, Project
from posttrain.studio.folders import answer_files, latest
from posttrain.studio.pages.parameters import asked, field, whole
from posttrain.studio.refusal import missing
from posttrain.studio.samples import file_of, groups
from posttrain.studio.studio import Studio

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

NUMBERS = {"low": 1, "high": 5, "strengths": 3, "overlap": 1, "minutes": 15, "gold_every": 0, "seed": 0}


def projects(studio: Studio, request: Request) -> Response:
    """List the projects; an owner may make one."""
    return listing(studio, request)


def listing(studio: Studio, request: Request, wrong: str = "", code: int = 200) -> Response:
    """Show the list, with what was wrong about the form that was sent."""
    found = [(n, p, progress(studio.store, n, p)) for n, p in studio.store.projects()]
    runs = list(studio.folders.runs()) if request.state.session.role == OWNER else []
    form = getattr(request.state, "form", {})
    filled = {name: values[0] for name, values in form.items() if name != "file"}
    return studio.page(
        request, "projects.html", code, found=found, runs=runs, kinds=KINDS, wrong=wrong, numbers=NUMBERS,
        filled={"run": asked(request, "run"), "step": asked(request, "step")} | filled,
    )  # fmt: skip


def make(studio: Studio, request: Request) -> Response:
    """Make a project of what the form says, and show what is wrong with it otherwise."""
    try:
        project = project_of(request)
        items, acts = content_of(studio, request, project)
        number, _ = studio.store.make(project, items)
        if acts:
            studio.store.bring(number, acts, KINDS[project.kind])
    except PosttrainError as error:
        return listing(studio, request, str(error), HTTPStatus.UNPROCESSABLE_ENTITY)
    return to(f"/projects/{number}")


def project_of(request: Request) -> Project:
    """Read the settings of a project from the form."""
    numbers = {n: whole(field(request, n).strip() or str(x), n, -(10**9)) for n, x in NUMBERS.items()}
    lists = {n: words(field(request, n)) for n in ("attributes", "categories")}
    texts = {n: field(request, n).strip() for n in ("name", "kind", "question", "instructions")}
    return Project(**texts, **lists, **numbers)  # type: ignore[arg-type]


def words(text: str) -> tuple[str, ...]:
    """Return the entries of a list that is divided by commas or lines."""
    return tuple(dict.fromkeys(w.strip()[:80] for w in text.replace("\n", ",").split(",") if w.strip()))


def content_of(studio: Studio, request: Request, project: Project) -> tuple[list[Item], list[dict[str, Any]]]:
    """Return the items of the source that the form names, and the acts that it brings."""
    if run := field(request, "run"):
        files = answer_files(studio.folders.run(run).folder)
        step = field(request, "step").strip() or latest(files)
        found: Iterable[Item] = of_samples(
            groups(studio.samples.of(file_of(files, step))), project.kind, run, project.seed
        )
        return list(found), []
    rows = list(read_lines(field(request, "file")))
    items = [fitting(where, item_of(where, row, KINDS[project.kind]), project.kind) for where, row in rows]
    return items, [normal(where, row) for where, row in rows if is_act(row)]


def fitting(where: str, item: Item, kind: str) -> Item:
    """Return the item. DataError where its kind needs one text and the answer is a conversation."""
    if kind in ("spans", "edit") and not isinstance(item.answers[0].get("text"), str):
        raise DataError(f"{where}: {kind} are of text, and this answer is a list of messages: give its words as text")
    return item


def normal(where: str, row: Any) -> dict[str, Any]:
    """Return an act of a file with its id. DataError if it is none."""
    act = act_of(row, where)
    return {**row, "act": act.id, "item": act.item}


def project(studio: Studio, request: Request) -> Response:
    """Show how a project stands."""
    number = number_of(request)
    found, acts = studio.store.project(number), studio.store.acts(number)
    return studio.page(
        request, "project.html", number=number, project=found, progress=progress(studio.store, number, found),
        report=report(acts), apart=disagreements(studio.store, number, acts), shapes=SHAPES,
        adjudicated=sum(act.role == ADJUDICATOR for act in acts),
    )  # fmt: skip


def export(studio: Studio, request: Request) -> Response:
    """Send what people said, in one of the shapes."""
    from starlette.responses import Response as Plain

    number, shape = number_of(request), request.path_params["what"]
    if shape not in SHAPES:
        raise missing(f"shape {shape!r:.40}; known are {', '.join(SHAPES)}")
    studio.store.project(number)
    name, write, _ = SHAPES[shape]
    headers = {"content-disposition": f'attachment; filename="project-{number}-{name}"'}
    return Plain(write(studio.store.records(number)), media_type="application/octet-stream", headers=headers)


def number_of(request: Request) -> int:
    """Return the number of the project in the address."""
    return whole(request.path_params["project"], "project")


def to(path: str) -> Response:
    """Send the browser to a page after a form."""
    from starlette.responses import RedirectResponse

    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
