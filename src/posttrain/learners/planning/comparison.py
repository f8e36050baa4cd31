"""What a comparison of a method with its baseline gives: scores at the same seeds, and what is worth keeping."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Comparison:
    """Scores with and without the speaker, one of each for a seed; further numbers; and plain data to keep."""

    helped: list[float]
    alone: list[float]
    numbers: dict[str, float] = field(default_factory=dict)
    kept: Any = None
