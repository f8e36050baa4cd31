"""What participants of experiments reply: a letter, a word, a number; and what is drawn by a seed."""

from __future__ import annotations

import re

from posttrain.seeds import SEEDS, seed_for

MACHINES = ("F", "J")


def letter(text: str) -> str | None:
    """Read the first F or J that stands alone, in capitals."""
    found = re.search(r"\b[FJ]\b", text)
    return found[0] if found else None


def number(text: str) -> str | None:
    """Read the first number from 0 to 1, or percentage, as a fraction."""
    found = re.search(r"(\d+(?:\.\d+)?|\.\d+)\s*(%)?", text)
    if found is None:
        return None
    value = float(found[1]) / (100 if found[2] else 1)
    return f"{value:g}" if 0 <= value <= 1 else None


def drawn(*names: str | int) -> float:
    """Draw a number from 0 to 1 that depends on the names alone."""
    return seed_for(*names) / SEEDS
