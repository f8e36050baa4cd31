"""The guard in front of all pages: host, session, origin and CSRF token are checked here, once, for every request.

What passes has `session` and, if it changes something, `form` in the state of the request.
"""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from posttrain.studio.access.forms import LARGEST, LARGEST_FILE, read_form
from posttrain.studio.access.roles import OWNER
from posttrain.studio.refusal import RefusalError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from posttrain.studio.access.sessions import Session, Sessions

OPEN = ("/static/", "/enter", "/login")  # what a browser without a session may ask for
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """Wraps the application. `hosts`: the names under which it may be asked for; a `cookie` holds the session."""

    def __init__(self, app: ASGIApp, sessions: Sessions, hosts: frozenset[str], cookie: str) -> None:
        self.app = app
        self.sessions = sessions
        self.hosts = hosts
        self.cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, then pass it on, or answer with the refusal."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        from starlette.requests import Request

        request = Request(scope, receive)
        try:
            response = await self._admitted(request) or self.app
        except RefusalError as refusal:
            response = plain(refusal)
        await response(scope, receive, _with_headers(send, scope["path"]))

    async def _admitted(self, request: Request) -> Any:
        """Return None for a request that may pass, or where the browser should go instead. RefusalError for others."""
        host = request.headers.get("host", "")
        if name_of(host) not in self.hosts:
            raise RefusalError(
                HTTPStatus.MISDIRECTED_REQUEST, f"this studio is not at the host {host!r:.200}; its --name can add one"
            )
        session = self.sessions.of(request.cookies.get(self.cookie, ""))
        request.state.session = session
        if request.method in ("GET", "HEAD"):
            return None if session or is_open(request.url.path) else self._door(request)
        if request.method != "POST":
            raise RefusalError(HTTPStatus.METHOD_NOT_ALLOWED, f"{request.method} is not used here")
        same_origin(request, host)
        if session is None and not is_open(request.url.path):
            raise RefusalError(HTTPStatus.UNAUTHORIZED, "your session has ended: enter again, then repeat it")
        request.state.form = await read_form(request, LARGEST_FILE if session and session.role == OWNER else LARGEST)
        if session is not None:
            check_token(request, session)
        return None

    def _door(self, request: Request) -> Any:
        """Send a person to the login, and tell a program that it has none."""
        from starlette.responses import RedirectResponse

        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/login", HTTPStatus.SEE_OTHER)
        raise RefusalError(HTTPStatus.UNAUTHORIZED, "enter first")


def name_of(host: str) -> str:
    """Return the name in a Host header, without the port; nothing if it is malformed."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_open(path: str) -> bool:
    """Whether a page is for everybody."""
    return path.startswith("/static/") or path in OPEN


def same_origin(request: Request, host: str) -> None:
    """Refuse a form that a page of another site has sent."""
    origin = request.headers.get("origin")
    other = origin is not None and origin.partition("://")[2] != host
    if other or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise RefusalError(HTTPStatus.FORBIDDEN, "this form was sent by another site")


def check_token(request: Request, session: Session) -> None:
    """Refuse a form without the token of its session."""
    given = request.state.form.pop("csrf", [""])[0]
    if not secrets.compare_digest(given.encode(), session.csrf.encode()):
        raise RefusalError(HTTPStatus.FORBIDDEN, "this form is not from your session: load the page again")


def plain(refusal: RefusalError) -> Any:
    """Answer with the words of a refusal."""
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(refusal.why, refusal.status, refusal.headers)


def _with_headers(send: Send, path: str) -> Send:
    """Return `send` with the headers that protect every page. Only static files may be kept by a browser."""
    keep = "public, max-age=3600" if path.startswith("/static/") else "no-store"
    added = [(name.encode(), value.encode()) for name, value in {**HEADERS, "cache-control": keep}.items()]

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return answer
