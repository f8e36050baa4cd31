"""`posttrain methods` and `posttrain explain METHOD`: the catalogue of methods and procedures."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from posttrain.catalogue import index as catalogue
from posttrain.cli.keys import keys as show_keys
from posttrain.errors import ConfigError

JSON_KEYS = ("path", "kind", "title", "summary")


def methods(as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False) -> None:
    """List all methods and procedures: path, summary and paper."""
    entries = [catalogue.entry(path) for path in (*catalogue.paths(), *catalogue.procedures())]
    if as_json:
        rows = [{k: v for k, v in asdict(e).items() if k in JSON_KEYS} for e in entries]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
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
            help="Path listed by `posttrain methods`, ./mine.py, or a key of the run file", show_default=False
        ),
    ],
) -> None:
    """Show a method's formula, the models and tensors it needs, and its settings; a procedure's loop; or keys."""
    from posttrain.catalogue.explain import explain as text_of
    from posttrain.catalogue.explain import explain_procedure

    try:
        entry = catalogue.entry(method)
    except ConfigError:
        if not _is_key(method):
            raise
        show_keys(method)
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
