"""`posttrain methods` and `posttrain explain METHOD`: the catalogue of methods and procedures."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from posttrain.catalogue import index as catalogue
from posttrain.catalogue.families import FAMILIES
from posttrain.catalogue.index import Entry
from posttrain.cli.keys import keys as show_keys
from posttrain.errors import ConfigError

JSON_KEYS = ("path", "kind", "title", "summary")
_SENTENCE = re.compile(r"(?<=\w{3})\. ")  # the end of a sentence, not of `Dr. GRPO`


def methods(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="What you have or look for: pairs, thumbs, critic, length.", show_default=False),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(help="Only what reads this kind: demonstrations, pairs, ratings, ...", show_default=False),
    ] = None,
    needs: Annotated[
        list[str] | None,
        typer.Option(help="Only methods that need this model: reward, reference, critic, ...", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="With whole summaries and papers.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """List methods and procedures, by what they learn from. `*` marks the one of each family to begin with."""
    entries = [catalogue.entry(path) for path in (*catalogue.paths(), *catalogue.procedures())]
    if words or data or needs:
        from posttrain.catalogue.choose import chosen

        entries = chosen(entries, data or (), needs or (), " ".join(words or ()).split())
    if as_json:
        rows = [{k: v for k, v in asdict(e).items() if k in JSON_KEYS} for e in entries]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif everything:
        _long(entries)
    else:
        _short(entries)


def _short(entries: Sequence[Entry]) -> None:
    """Print a line an entry, under the heading of its family; cut to the width of a terminal."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    column = max(len(e.path) for e in entries) + 4
    for family in FAMILIES:
        members = [e for e in entries if e.path.startswith(f"{family.folder}/")]
        if members:
            typer.echo(f"{family.folder}: {family.about}")
        for e in sorted(members, key=lambda e: (e.path != family.start, e.path)):
            name = f"{'*' if e.path == family.start else ' '} {e.path}"
            typer.echo(f"{name:{column}}{_SENTENCE.split(e.summary or e.title)[0].rstrip('.')}".rstrip()[:width])
    typer.echo(
        "\n* is the one to begin with; `posttrain explain NAME` shows one, --all shows whole summaries and papers."
    )


def _long(entries: Sequence[Entry]) -> None:
    """Print whole summaries and papers."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("method", style="bold", no_wrap=True)
    table.add_column("what it does, and the paper")
    for e in entries:
        table.add_row(e.path, f"{e.summary}\n[dim]{e.title}[/dim]")
    Console().print(table)


def explain(
    method: Annotated[
        str,
        typer.Argument(
            help="Path listed by `posttrain methods`, ./mine.py, a run file, a transform of rewards, or a key",
            show_default=False,
        ),
    ],
) -> None:
    """Show a method's formula, the models and tensors it needs, and its settings; a procedure's loop; or keys.

    Of a run file: its method with its settings, and the formula of the reward with all transforms.
    """
    from posttrain.catalogue.explain import explain as text_of
    from posttrain.catalogue.explain import explain_procedure
    from posttrain.cli.explained import of_run, of_transform

    if method.endswith((".yaml", ".yml")):
        typer.echo(of_run(method))
        return
    try:
        entry = catalogue.entry(method)
    except ConfigError:
        if text := of_transform(method):
            typer.echo(text)
        elif _is_key(method):
            show_keys(method)
        else:
            raise
        return
    if entry.kind == "procedure":
        typer.echo(explain_procedure(entry.text, catalogue.load_procedure(method)))
        return
    typer.echo(text_of(entry.text, catalogue.load(method)))


def _is_key(name: str) -> bool:
    """Whether a name is a key or section of the run file, or another trainer's name of one."""
    from posttrain.config.aliases import REMEDIES, alias
    from posttrain.config.outline import fields

    return name in REMEDIES or bool(alias(name.split("."))) or name in [key for key, _ in fields()]
