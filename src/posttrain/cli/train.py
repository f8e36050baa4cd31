"""`posttrain train RUN.yaml key=value ...`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    context: typer.Context,
    run_file: Annotated[Path, typer.Argument(metavar="RUN.yaml", help="The run file.", show_default=False)],
    resume: Annotated[bool, typer.Option("--resume", help="Continue the newest complete checkpoint.")] = False,
) -> None:
    """Train what a run file describes. Overrides follow it: train.steps=50 method.kl.weight=0"""
    from posttrain.config.load import load
    from posttrain.launch import launch
    from posttrain.runs.live import open_display

    run = load(run_file, context.args)
    with open_display() as display:
        result = launch(run, resume=resume, display=display)
    for name, evaluation in result.evaluations.items():
        typer.echo(f"{name:8} mean reward {evaluation.mean:.3f} on {len(evaluation.scores)} prompts")
    typer.echo(f"run      {result.directory}")
    typer.echo(f"model    {result.model}")
