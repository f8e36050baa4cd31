"""The doors: a link that works once, a login with a password, and the way out."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING

from posttrain.studio.refusal import RefusalError, missing
from posttrain.studio.studio import Studio

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def enter(studio: Studio, request: Request) -> Response:
    """Open a session for whoever has a good link."""
    cookie = studio.sessions.follow(request.query_params.get("token", ""))
    if cookie is None:
        raise RefusalError(
            HTTPStatus.FORBIDDEN, "this link is wrong, was used, or is too old; start the studio again for a new one"
        )
    return admitted(request, cookie)


def login(studio: Studio, request: Request) -> Response:
    """Ask for name and password, where there are accounts."""
    return studio.page(request, "login.html", wrong="", name="")


def log_in(studio: Studio, request: Request) -> Response:
    """Open a session for a name with its password. Whoever guesses waits."""
    if not studio.login:
        raise missing("login with a password here: use the link that the studio printed")
    form = request.state.form
    name, password = (form.get(key, [""])[0] for key in ("name", "password"))
    where = request.client.host if request.client else ""
    keys = (f"name {name[:64]}", f"host {where}")
    wait = max(map(studio.throttle.wait, keys))
    if wait > 0:
        headers = {"retry-after": str(math.ceil(wait))}
        raise RefusalError(HTTPStatus.TOO_MANY_REQUESTS, f"too many attempts: wait {math.ceil(wait)} seconds", headers)
    role = studio.accounts.role_of(name, password)
    if role is None:
        for key in keys:
            studio.throttle.failed(key)
        return studio.page(request, "login.html", HTTPStatus.FORBIDDEN, wrong="wrong name or password", name=name)
    studio.throttle.succeeded(keys[0])
    return admitted(request, studio.sessions.open(name, role))


def leave(studio: Studio, request: Request) -> Response:
    """End the session."""
    from starlette.responses import RedirectResponse

    name = request.app.state.cookie
    studio.sessions.close(request.cookies.get(name, ""))
    response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    response.delete_cookie(name, path="/")
    return response


def admitted(request: Request, cookie: str) -> Response:
    """Give the browser its cookie, which no script can read and no other site can send."""
    from starlette.responses import RedirectResponse

    response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    secure = request.url.scheme == "https"
    response.set_cookie(request.app.state.cookie, cookie, path="/", httponly=True, samesite="strict", secure=secure)
    return response
