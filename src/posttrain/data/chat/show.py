"""Rows as the model sees them, for a terminal: trained tokens are coloured, or in brackets where there is no colour."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.text import Text

from posttrain.records import Row

TRAINED, CONTEXT = "bold green", "dim"
OPEN, CLOSE = "⟦", "⟧"


def show(rows: Sequence[Row], tokenizer: Any, count: int) -> Group:
    """Return the first `count` rows, each with its token counts, and a summary of all."""
    shown: list[RenderableType] = [part for row in rows[:count] for part in _row(row, tokenizer)]
    tokens, trained = sum(len(r.tokens) for r in rows), sum(sum(r.trained) for r in rows)
    share = f"{trained / tokens:.0%}" if tokens else "none"
    longest = max((len(r.tokens) for r in rows), default=0)
    shown.append(Rule())
    shown.append(
        Text(f"{len(rows)} rows, {tokens} tokens, {trained} of them trained ({share}); the longest row has {longest}")
    )
    return Group(*shown)


def _row(row: Row, tokenizer: Any) -> Iterator[RenderableType]:
    columns = "".join(f", {name} {value}" for name, value in row.columns.items() if not isinstance(value, Sequence))
    yield Rule(Text(f"row {row.id}: {len(row.tokens)} tokens, {sum(row.trained)} trained{columns}"), align="left")
    marked = zip(row.tokens, row.trained, strict=True)
    yield Marked(
        tuple(
            (visible(tokenizer.decode([t for t, _ in run], clean_up_tokenization_spaces=False)), trained)
            for trained, run in groupby(marked, key=lambda pair: pair[1])
        )
    )


@dataclass(frozen=True)
class Marked:
    """Runs of text, each marked as trained or not."""

    runs: tuple[tuple[str, bool], ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        colour = console.color_system is not None and not console.no_color
        left, right = ("", "") if colour else (OPEN, CLOSE)
        pieces = (
            (f"{left}{text}{right}" if trained else text, TRAINED if trained else CONTEXT)
            for text, trained in self.runs
        )
        yield Text.assemble(*pieces)


def visible(text: str) -> str:
    """Return the text with escape codes for characters that would control a terminal or reorder the line."""
    controls = ("Cc", "Cf")  # Unicode's categories of control and invisible format characters
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in controls and c not in "\n\t" else c
        for c in text
    )
