"""`posttrain papers [WORDS...]`: the papers of the library, and how far each of them is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from posttrain.catalogue.papers import STATES, Paper, counts
from posttrain.catalogue.papers import papers as all_papers
from posttrain.errors import ConfigError, suggestion

if TYPE_CHECKING:
    from rich.table import Table


def papers(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORDS]...", help="Words of the key, the title or the paths.", show_default=False),
    ] = None,
    state: Annotated[
        str | None, typer.Option(help=f"Only papers in this state: {', '.join(STATES)}.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """List the papers: state, title, what each one is here, and what it still lacks."""
    if state is not None and state not in STATES:
        raise ConfigError(f"no state {state!r}{suggestion(state, STATES)}; there are {', '.join(STATES)}")
    listed = [p for p in all_papers().values() if state in (None, p.state) and p.has(words or ())]
    if as_json:
        typer.echo(json.dumps([p.row() for p in listed], indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    console = Console(highlight=False)
    if listed:
        console.print(_table(listed))
        console.print()
        console.print(_summary(listed))
    console.print(f"{len(listed)} of {len(all_papers())} papers")


def _table(listed: Sequence[Paper]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("state", style="bold", no_wrap=True)
    table.add_column("paper, what it is here, and what it lacks")
    for p in listed:
        place = f"\n{p.key}: {', '.join(p.places)}" if p.places else f"\n{p.key}"
        lacks = f"\n{p.lacks}" if p.lacks else ""
        table.add_row(p.state, Text(p.title).append(place, style="cyan").append(lacks, style="dim"))
    return table


def _summary(listed: Sequence[Paper]) -> Table:
    """The number of papers by family and state."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("family", style="bold", no_wrap=True)
    for state in STATES:
        table.add_column(state, justify="right")
    numbers = counts(listed)
    for family, by_state in numbers.items():
        table.add_row(family, *(str(by_state[state]) for state in STATES))
    table.add_row("all", *(str(sum(by_state[state] for by_state in numbers.values())) for state in STATES))
    return table
