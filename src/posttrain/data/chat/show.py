"""Rows as the model sees them, for a terminal: trained tokens are coloured, or in brackets where there is no colour."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from posttrain.records import Row

TRAINED, CONTEXT, RAW = "bold green", "dim", "cyan"
OPEN, CLOSE = "⟦", "⟧"
LONGEST = 2000  # characters shown of a row of the file


@dataclass(frozen=True)
class Example:
    """A record: its place, its row in the file, and the rows of tokens that it became."""

    where: str
    columns: Mapping[str, Any]
    rows: Sequence[Row]


def show(examples: Sequence[Example], tokenizer: Any, count: int, *, tokens: bool = False) -> Group:
    """Return the first `count` examples, each with its row of the file and its rows of tokens, and a summary of all.

    `tokens`: a line for each token instead of running text.
    """
    shown = [part for example in examples[:count] for part in _example(example, tokenizer, tokens=tokens)]
    rows = [row for example in examples for row in example.rows]
    size, trained = sum(len(r.tokens) for r in rows), sum(sum(r.trained) for r in rows)
    share = f"{trained / size:.0%}" if size else "none"
    longest = max((len(r.tokens) for r in rows), default=0)
    shown.append(Rule())
    shown.append(
        Text(f"{len(rows)} rows, {size} tokens, {trained} of them trained ({share}); the longest row has {longest}")
    )
    return Group(*shown)


def _example(example: Example, tokenizer: Any, *, tokens: bool) -> Iterator[RenderableType]:
    yield Rule(Text(example.where), align="left")
    raw = visible(json.dumps(dict(example.columns), ensure_ascii=False, default=str))
    yield Text(raw if len(raw) <= LONGEST else f"{raw[:LONGEST]}... ({len(raw)} characters)", style=RAW)
    for row in example.rows:
        columns = "".join(f", {name} {value}" for name, value in row.columns.items() if not isinstance(value, Sequence))
        size = f"{len(row.tokens)} tokens, {sum(row.trained)} trained{columns}"
        yield Rule(Text(f"row {row.id}: {size}"), align="left", style=CONTEXT)
        yield token_table(row, tokenizer) if tokens else running_text(row, tokenizer)


def running_text(row: Row, tokenizer: Any) -> Marked:
    """Return the text of a row, with its trained runs marked."""
    marked = zip(row.tokens, row.trained, strict=True)
    return Marked(
        tuple(
            (visible(_decoded(tokenizer, [t for t, _ in run])), trained)
            for trained, run in groupby(marked, key=lambda pair: pair[1])
        )
    )


def token_table(row: Row, tokenizer: Any) -> Table:
    """Return a table with a line for each token: place, id, the tokenizer's name, text, and whether it is trained."""
    table = Table("place", "id", "token", "text", "trained", box=None, header_style=CONTEXT)
    names = tokenizer.convert_ids_to_tokens(list(row.tokens))
    for place, (token, trained, name) in enumerate(zip(row.tokens, row.trained, names, strict=True)):
        style = TRAINED if trained else CONTEXT
        cells = [
            str(place),
            str(token),
            visible(str(name)),
            repr(_decoded(tokenizer, [token])),
            "yes" if trained else "",
        ]
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table


def _decoded(tokenizer: Any, tokens: Sequence[int]) -> str:
    return str(tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False))


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
