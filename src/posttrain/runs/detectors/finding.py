"""A finding: what is odd about a run, since when, the curve and the answers that show it, and what to try."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`metric`: the curve that shows it, "" where answers do. `answers`: step and place of some of them."""

    name: str
    says: str
    remedy: str
    metric: str = ""
    since: int | None = None
    answers: tuple[tuple[int, int], ...] = ()
