"""A request that is not served, with its HTTP status and a sentence that says why."""

from __future__ import annotations

from http import HTTPStatus


class RefusalError(Exception):
    """Ends a request. `why` is shown as text, so it may quote what the browser sent."""

    def __init__(self, status: HTTPStatus, why: str, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.why = why
        self.headers = headers or {}
        super().__init__(f"{status.value}: {why}")


def missing(what: str) -> RefusalError:
    """Return the refusal of something that does not exist."""
    return RefusalError(HTTPStatus.NOT_FOUND, f"there is no {what}")


def invalid(why: str) -> RefusalError:
    """Return the refusal of a value that makes no sense."""
    return RefusalError(HTTPStatus.UNPROCESSABLE_ENTITY, why)
