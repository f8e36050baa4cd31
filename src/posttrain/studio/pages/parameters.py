"""Values that a page reads from its address or its form. What makes no sense is refused with its name."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

from posttrain.studio.refusal import invalid

if TYPE_CHECKING:
    from starlette.requests import Request


def decimal(text: str, name: str, low: float = -math.inf, high: float = math.inf) -> float:
    """Read a number within bounds."""
    try:
        value = float(text)
    except ValueError:
        raise invalid(f"{name}: {text!r:.80} is not a number") from None
    if not low <= value <= high:
        raise invalid(f"{name}: {value} is not from {low} to {high}")
    return value


def whole(text: str, name: str, low: int = 0, high: int = 10**15) -> int:
    """Read a whole number within bounds."""
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20):
        raise invalid(f"{name}: {text!r:.80} is not a whole number")
    value = int(text)
    if not low <= value <= high:
        raise invalid(f"{name}: {value} is not from {low} to {high}")
    return value


def one_of(text: str, name: str, known: Collection[str]) -> str:
    """Read one of several words."""
    if text not in known:
        raise invalid(f"{name}: {text!r:.80} is none of {', '.join(known)}")
    return text


def asked(request: Request, name: str, default: str = "") -> str:
    """Return a value of the address."""
    return str(request.query_params.get(name, default))


def optional_number(request: Request, name: str) -> float | None:
    """Return a number of the address, None where its field was left empty."""
    text = asked(request, name).strip()
    return decimal(text, name) if text else None


def field(request: Request, name: str, default: str = "") -> str:
    """Return a value of the form."""
    values = request.state.form.get(name, [default])
    return str(values[0])
