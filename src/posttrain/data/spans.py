"""Columns that say something of parts of an answer: spans of its text, which become numbers of its tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.errors import DataError
from posttrain.records import Span, Spans

KEYS = {"start", "end", "value"}


def is_spans(cell: Any) -> bool:
    """Whether a cell is a list of spans. An empty list is one: it says nothing of any part."""
    return isinstance(cell, list | tuple) and all(isinstance(x, Mapping) for x in cell)


def read_spans(column: str, cell: Sequence[Mapping[str, Any]]) -> Spans:
    """Read spans {start, end, value}, in characters of the answer. Raises DataError for anything else."""
    spans = []
    for x in cell:
        numbers = [x.get(key) for key in ("start", "end", "value")]
        if set(x) != KEYS or not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
            raise DataError(f"a span of {column!r} must be {{start, end, value}}, three numbers, not {dict(x)!r:.80}")
        if not 0 <= x["start"] < x["end"]:
            raise DataError(f"a span of {column!r} goes from {x['start']} to {x['end']}; the end must come later")
        spans.append(Span(int(x["start"]), int(x["end"]), float(x["value"])))
    return Spans(spans)


def values_at(spans: Sequence[Span], ends: Sequence[int]) -> tuple[float, ...]:
    """Return for each token the sum of the spans that it has a character of. `ends`: where each token ends."""
    starts = (0, *ends)
    tokens = zip(starts, ends, strict=False)
    return tuple(sum((s.value for s in spans if a < s.end and b > s.start), 0.0) for a, b in tokens)
