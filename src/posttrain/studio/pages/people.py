"""Who may enter: links for people without a password, and the accounts of those with one."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from posttrain.studio.access.accounts import NAME
from posttrain.studio.access.roles import ROLES
from posttrain.studio.pages.parameters import field, one_of
from posttrain.studio.pages.projects import to
from posttrain.studio.refusal import invalid
from posttrain.studio.studio import Studio

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def people(studio: Studio, request: Request) -> Response:
    """List the accounts, and offer a link for somebody."""
    return shown(studio, request)


def shown(studio: Studio, request: Request, link: str = "", name: str = "") -> Response:
    """Show the page, with a link that was just made."""
    accounts = studio.accounts.listed() if studio.login else []
    return studio.page(request, "people.html", HTTPStatus.OK, accounts=accounts, roles=ROLES, link=link, name=name)


def invite(studio: Studio, request: Request) -> Response:
    """Make a link that opens one session for a person of this name, and show it once."""
    name, role = field(request, "name").strip(), one_of(field(request, "role"), "role", ROLES)
    if not NAME.fullmatch(name):
        raise invalid("a name has up to 64 letters, digits, '.', '_', '-', '@' and '+'")
    base = f"{request.url.scheme}://{request.headers['host']}"
    return shown(studio, request, f"{base}/enter?token={studio.sessions.link(name, role)}", name)


def dismiss(studio: Studio, request: Request) -> Response:
    """End all sessions of a person, and remove their account if they have one."""
    name = field(request, "name")
    studio.sessions.close_all(name)
    if studio.login:
        studio.accounts.remove(name)
    return to("/people")
