"""`posttrain claim claims/NAME.yaml ...`: does what a paper says show in a small experiment?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def claim(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of claims.", show_default=False)],
    output: Annotated[Path, typer.Option(help="Folder that holds the runs.")] = Path("runs"),
    results: Annotated[
        Path | None, typer.Option(help="Folder for NAME.json and NAME.png of each claim.", show_default=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume: run only what is missing.")] = False,
) -> None:
    """Run the experiment of each claim, and say whether it is shown, not shown or contradicted here.

    A claim names a paper, the methods to compare, a task, and what is expected of the measurements; see docs/claims.md.
    """
    from posttrain.evaluation.compare.claim import load_claim
    from posttrain.evaluation.compare.claim_run import run, write

    claims = {file: load_claim(file) for file in files}  # all of them, before the first is run
    for file, loaded in claims.items():
        outcome = run(file, loaded, output=output, resume=resume)
        typer.echo(outcome.text())
        if results is not None:
            typer.echo("\n".join(str(path) for path in write(outcome, results)))
