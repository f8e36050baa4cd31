"""The beginning that two texts, or two lists, share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def shared(first: Sequence[Any], second: Sequence[Any]) -> int:
    """Return the number of characters or items with which both begin."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))
