"""Parts of an answer, and which of them a reason in words points at."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PART = re.compile(r"\S[^.!?\n]*[.!?]*")

Place = tuple[int, int]  # the characters from the first up to, not including, the second


def parts(text: str) -> list[Place]:
    """Return the places of the sentences and lines of a text."""
    return [match.span() for match in _PART.finditer(text)]


def highlights(
    places: Sequence[Place], said: Sequence[Sequence[float]], *, least: float = 0.5
) -> list[dict[str, float]]:
    """Return spans of the parts that are praised or criticised, as the column of a record.

    `said`: the probabilities of praise, criticism and neither for each part. The value of a span is P(praise) -
    P(criticism).

    Settings:
        least: size of a value below which a part is not highlighted; 0 to 1.
    """
    values = [praise - blame for praise, blame, *_ in said]
    spans = zip(places, values, strict=True)
    return [{"start": a, "end": b, "value": x} for (a, b), x in spans if x and abs(x) >= least]
