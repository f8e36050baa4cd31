"""`posttrain methods` and `posttrain explain METHOD`: the catalogue of methods and procedures."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from posttrain.catalogue import index as catalogue

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
    method: Annotated[str, typer.Argument(help="Path listed by `posttrain methods`, or ./mine.py", show_default=False)],
) -> None:
    """Show a method's formula, the models and tensors it needs, and its settings; or a procedure's loop."""
    from posttrain.catalogue.explain import explain as text_of
    from posttrain.catalogue.explain import explain_procedure

    entry = catalogue.entry(method)
    if entry.kind == "procedure":
        typer.echo(explain_procedure(entry.text, catalogue.load_procedure(method)))
        return
    typer.echo(text_of(entry.text, catalogue.load(method)))
