"""The desk: one item at a time, blind, by keyboard."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from posttrain.studio.access.roles import OWNER
from posttrain.studio.annotation import desk as work
from posttrain.studio.annotation.judgements import judgement
from posttrain.studio.annotation.progress import progress
from posttrain.studio.pages.parameters import asked, field, whole
from posttrain.studio.pages.projects import number_of, to
from posttrain.studio.refusal import RefusalError
from posttrain.studio.studio import Studio

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def desk(studio: Studio, request: Request) -> Response:
    """Show what this person judges next. An owner may ask for one item, to adjudicate it."""
    number, who = number_of(request), request.state.session
    project = studio.store.project(number)
    wanted = asked(request, "item")
    if wanted and who.role != OWNER:
        raise RefusalError(HTTPStatus.FORBIDDEN, "who adjudicates must be an owner")
    item = whole(wanted, "item") if wanted else None
    task = work.claim(studio.database, number, project, who.name, item=item)
    return shown(studio, request, task, adjudicates=bool(wanted))


def shown(
    studio: Studio, request: Request, task: work.Task | None, wrong: str = "", adjudicates: bool = False
) -> Response:
    """Show an item with its form, filled with what was sent if that was wrong."""
    number = number_of(request)
    project = studio.store.project(number)
    form = {name: values[0] for name, values in getattr(request.state, "form", {}).items()}
    code = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return studio.page(
        request, "desk.html", code, number=number, project=project, task=task, wrong=wrong, form=form,
        progress=progress(studio.store, number, project), adjudicates=adjudicates,
    )  # fmt: skip


def judge(studio: Studio, request: Request) -> Response:
    """Save a judgement, and show the next item."""
    number, who = number_of(request), request.state.session
    project, act = studio.store.project(number), field(request, "act")
    adjudicates = field(request, "role") == work.ADJUDICATOR and who.role == OWNER
    task = work.task(studio.database, act, who.name)
    try:
        said = judgement(project, task, request.state.form)
        role = work.ADJUDICATOR if adjudicates else ""
        work.record(studio.database, project, act, who.name, said, field(request, "reason")[:5000].strip(), role)
    except RefusalError as error:
        if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        return shown(studio, request, task, error.why, adjudicates)
    return to(f"/projects/{number}#apart" if adjudicates else f"/desk/{number}")


def undo(studio: Studio, request: Request) -> Response:
    """Take back the last judgement of this person, and show its item again."""
    number = number_of(request)
    project = studio.store.project(number)
    work.withdraw(studio.database, number, project, request.state.session.name)
    return to(f"/desk/{number}")
