"""The application: which page is where, and who may see it."""

from __future__ import annotations

import inspect
import logging
import sqlite3
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from posttrain.errors import MissingExtraError, PosttrainError
from posttrain.studio.access.guard import Guard
from posttrain.studio.access.roles import EVERYBODY, JUDGE, LOOK, OWN
from posttrain.studio.pages import desk, doors, events, people, projects, run, runs, samples
from posttrain.studio.refusal import RefusalError
from posttrain.studio.studio import HERE, Studio

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

log = logging.getLogger(__name__)
Page = Callable[..., Any]

# path, page, who may see it, whether it takes a form
PAGES: tuple[tuple[str, Page, frozenset[str], bool], ...] = (
    ("/", runs.home, EVERYBODY, False),
    ("/runs", runs.runs, LOOK, False),
    ("/compare", runs.compare, LOOK, False),
    ("/curves", runs.curves, LOOK, False),
    ("/runs/{run}", run.run, LOOK, False),
    ("/runs/{run}/events", events.events, LOOK, False),
    ("/runs/{run}/samples", samples.samples, LOOK, False),
    ("/runs/{run}/samples/{step}/{place}", samples.sample, LOOK, False),
    ("/runs/{run}/prompts/{prompt}", samples.prompt, LOOK, False),
    ("/projects", projects.projects, JUDGE, False),
    ("/projects", projects.make, OWN, True),
    ("/projects/{project}", projects.project, OWN, False),
    ("/projects/{project}/export/{what}", projects.export, OWN, False),
    ("/desk/{project}", desk.desk, JUDGE, False),
    ("/desk/{project}", desk.judge, JUDGE, True),
    ("/desk/{project}/undo", desk.undo, JUDGE, True),
    ("/people", people.people, OWN, False),
    ("/people", people.invite, OWN, True),
    ("/people/dismiss", people.dismiss, OWN, True),
    ("/leave", doors.leave, EVERYBODY, True),
)
DOORS: tuple[tuple[str, Page, bool], ...] = (
    ("/enter", doors.enter, False),
    ("/login", doors.login, False),
    ("/login", doors.log_in, True),
)


def application(studio: Studio, hosts: frozenset[str], cookie: str = "posttrain_studio") -> ASGIApp:
    """Build the application for these host names. MissingExtraError without starlette."""
    try:
        from starlette.applications import Starlette
        from starlette.routing import Mount, Route
        from starlette.staticfiles import StaticFiles
    except ImportError:
        raise MissingExtraError("posttrain studio", "studio") from None

    def route(path: str, page: Page, roles: frozenset[str] | None, form: bool) -> Any:
        return Route(path, partial(answer, studio, page, roles), methods=["POST" if form else "GET"])

    pages = [route(*row) for row in PAGES]
    open_pages = [route(path, page, None, form) for path, page, form in DOORS]
    static = Mount("/static", StaticFiles(directory=HERE / "static"))
    app = Starlette(routes=[*open_pages, *pages, static])
    app.state.cookie = cookie
    return Guard(app, studio.sessions, hosts, cookie)


async def answer(studio: Studio, page: Page, roles: frozenset[str] | None, request: Request) -> Response:
    """Answer a request with a page, or with one that says why not."""
    from starlette.concurrency import run_in_threadpool

    try:
        if roles is not None and request.state.session.role not in roles:
            raise RefusalError(HTTPStatus.FORBIDDEN, f"this is not for {request.state.session.role}s")
        if inspect.iscoroutinefunction(page):
            return await page(studio, request)
        return await run_in_threadpool(page, studio, request)
    except RefusalError as refusal:
        return failed(studio, request, refusal)
    except PosttrainError as error:
        return failed(studio, request, RefusalError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)))
    except sqlite3.Error as error:
        why = f"the database cannot be used now ({error}), and nothing was saved: free some space, then try again"
        return failed(studio, request, RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, why))
    except Exception:
        log.exception("%s failed", request.url.path)
        return failed(
            studio, request, RefusalError(HTTPStatus.INTERNAL_SERVER_ERROR, "an error of the studio; see its log")
        )


def failed(studio: Studio, request: Request, refusal: RefusalError) -> Response:
    """Show a refusal as a page."""
    title = refusal.status.phrase
    response = studio.page(request, "refused.html", refusal.status, title=title, why=refusal.why)
    response.headers.update(refusal.headers)
    return response
