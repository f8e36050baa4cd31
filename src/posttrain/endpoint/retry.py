"""Exponential backoff: how long to wait before the next attempt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from posttrain.endpoint.endpoint import Endpoint
from posttrain.seeds import seed_for


def pause(endpoint: Endpoint, key: str, attempt: int, after: float | None) -> float:
    """Return seconds to wait: pause · 2^(attempt - 1) · u, at least Retry-After and at most the longest pause.

    u in [1/2, 1) is derived from the request.
    """
    jitter = 0.5 + seed_for("pause", key, attempt) / 2**57
    own = endpoint.pause * 2.0 ** min(attempt - 1, 30) * jitter
    return min(max(own, after or 0.0), endpoint.longest_pause)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Parse the seconds that the server asks to wait, a number or a date. None if it is neither or in the past."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            date = parsedate_to_datetime(text)
        except ValueError:
            return None
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (date - (now or datetime.now(UTC))).total_seconds()
    return seconds if math.isfinite(seconds) and seconds > 0 else None
