"""`posttrain data show`: rows as the model sees them."""

from __future__ import annotations

import typer

app = typer.Typer(help="Look at data before training on it.", no_args_is_help=True)


@app.callback()
def _data() -> None:
    pass
