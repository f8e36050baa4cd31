"""`posttrain keys [PREFIX]`: every key of a run file."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer


def keys(
    prefix: Annotated[
        str, typer.Argument(help="A section, a key or its beginning: train, train.keep.", show_default=False)
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """List the keys of a run file: type, default and meaning."""
    from posttrain.config.keys import keys as keys_of

    found = keys_of(prefix)
    if as_json:
        typer.echo(json.dumps([asdict(key) for key in found], indent=2, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("key", style="bold", no_wrap=True)
    table.add_column("type, default and meaning")
    for key in found:
        default = f"; default {key.default}" if key.default not in ("", "required") else ""
        required = "; required" if key.default == "required" else ""
        about = Text(f"{key.type}{default}{required}\n", style="dim").append(key.meaning, style="not dim")
        table.add_row(Text(key.name), about)
    Console(highlight=False).print(table)
