"""What a browser sends: small forms, read once, strictly."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from posttrain.studio.refusal import RefusalError

if TYPE_CHECKING:
    from starlette.requests import Request

LARGEST = 2_000_000  # bytes of a form
LARGEST_FILE = 64_000_000  # bytes of a form that brings a file, which only an owner may send
FIELDS = 10_000


async def read_form(request: Request, largest: int) -> dict[str, list[str]]:
    """Read a urlencoded form. RefusalError for another type, one that is too large, or text that is not UTF-8."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "forms are sent as application/x-www-form-urlencoded")
    too_large = RefusalError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a form may have at most {largest:,} bytes")
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > largest:
        raise too_large
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise too_large
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    except ValueError:  # UnicodeDecodeError is one
        raise RefusalError(HTTPStatus.BAD_REQUEST, "the form is not urlencoded UTF-8") from None
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form
