"""The tokens of an answer, coloured by one of their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST = 4000  # tokens on a page
SURE = (-0.1, -0.7, -2.0, -5.0)  # log-probs between the colours: 90%, half, 14%, below 1%


@dataclass(frozen=True)
class Token:
    """A token: its text, the class of its colour, its numbers in words, and whether a loss may use it."""

    text: str
    colour: str
    about: str
    trained: bool


def measures(row: Mapping[str, Any]) -> list[str]:
    """Return the numbers that the tokens of an answer have; none where the run wrote no tokens."""
    known = row.get("per_token")
    lists = known.items() if isinstance(known, dict) else ()
    return [name for name, values in lists if name not in ("text", "trained") and isinstance(values, list)]


def strip(row: Mapping[str, Any], by: str) -> list[Token]:
    """Return the first tokens of an answer, coloured by one of its measures."""
    known = row["per_token"]
    texts = [str(text) for text in known.get("text", ())][:MOST]
    values = padded(known.get(by), len(texts))
    trained = padded(known.get("trained"), len(texts))
    colours = by_chance(values) if by == "logp" else by_size(values)
    numbers = {name: padded(known.get(name), len(texts)) for name in measures(row)}
    return [
        Token(text, colours[n], ", ".join(f"{name} {x[n]}" for name, x in numbers.items() if x[n] is not None),
              trained[n] != 0)
        for n, text in enumerate(texts)
    ]  # fmt: skip


def padded(values: Any, length: int) -> list[Any]:
    """Return a list of this length, whatever a file held."""
    known = values if isinstance(values, list) else []
    return (known + [None] * length)[:length]


def by_chance(values: Sequence[Any]) -> list[str]:
    """Return the colour of each log-prob: t0 for a token that was certain, t4 for one that surprises."""
    return ["" if not is_number(x) else f"t{sum(x < limit for limit in SURE)}" for x in values]


def by_size(values: Sequence[Any]) -> list[str]:
    """Return the colour of each number between the smallest, t0, and the largest, t4; t2 where all are equal."""
    known = [x for x in values if is_number(x)]
    low, span = (min(known), max(known) - min(known)) if known else (0, 0)
    return ["" if not is_number(x) else f"t{min(int(5 * (x - low) / span), 4) if span else 2}" for x in values]


def is_number(value: Any) -> bool:
    """Whether a value can be compared with numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)
