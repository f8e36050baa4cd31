"""`posttrain train RUN.yaml key=value ...`"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

WHICH = "STEP|FOLDER|never"


class TrainCommand(TyperCommand):
    """The command line of `train`, where `--resume` may stand alone: it is completed before the options are parsed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, completed(args))


def completed(args: Sequence[str]) -> list[str]:
    """Return `--resume 40` as `--resume=40`, and `--resume` that no checkpoint follows as `--resume=latest`."""
    completed_args: list[str] = []
    for arg in args:
        if completed_args and completed_args[-1] == "--resume":
            named = arg.isdigit() or arg in ("latest", "never") or Path(arg).is_dir()
            completed_args[-1] = f"--resume={arg if named else 'latest'}"
            if named:
                continue
        completed_args.append(arg)
    if completed_args and completed_args[-1] == "--resume":
        completed_args[-1] = "--resume=latest"
    return completed_args


def train(
    context: typer.Context,
    run_file: Annotated[Path, typer.Argument(metavar="RUN.yaml", help="The run file.", show_default=False)],
    resume: Annotated[
        str,
        typer.Option(metavar=WHICH, help="Resume from the newest usable checkpoint, or this one.", show_default=False),
    ] = "never",
) -> None:
    """Train as a run file describes. Overrides follow it: train.steps=50 method.kl.weight=0"""
    from posttrain.config.load import load
    from posttrain.launch.run import launch
    from posttrain.viewer.live import open_display

    run = load(run_file, context.args)
    with open_display() as display:
        result = launch(run, resume=resume, display=display)
    for name, evaluation in result.evaluations.items():
        typer.echo(f"{name:8} {evaluation}")
    typer.echo(f"run      {result.directory}")
    if result.model is not None:
        typer.echo(f"model    {result.model}")
    for name, file in result.artefacts.items():
        typer.echo(f"{name:8} {file}")
