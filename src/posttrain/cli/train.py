"""`posttrain train RUN.yaml key=value ...`"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

WHICH = "STEP|FOLDER|never"


class TrainCommand(TyperCommand):
    """`--resume` may stand alone, which no option with a value can: it is completed before the line is parsed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, completed(args))


def completed(args: Sequence[str]) -> list[str]:
    """`--resume 40` as `--resume=40`, and `--resume` before anything that is not a checkpoint as `--resume=latest`."""
    made: list[str] = []
    for arg in args:
        if made and made[-1] == "--resume":
            named = arg.isdigit() or arg in ("latest", "never") or Path(arg).is_dir()
            made[-1] = f"--resume={arg if named else 'latest'}"
            if named:
                continue
        made.append(arg)
    return [*made[:-1], "--resume=latest"] if made and made[-1] == "--resume" else made


def train(
    context: typer.Context,
    run_file: Annotated[Path, typer.Argument(metavar="RUN.yaml", help="The run file.", show_default=False)],
    resume: Annotated[
        str,
        typer.Option(metavar=WHICH, help="Continue the newest usable checkpoint, or this one.", show_default=False),
    ] = "never",
) -> None:
    """Train what a run file describes. Overrides follow it: train.steps=50 method.kl.weight=0"""
    from posttrain.config.load import load
    from posttrain.launch.run import launch
    from posttrain.viewer.live import open_display

    run = load(run_file, context.args)
    with open_display() as display:
        result = launch(run, resume=resume, display=display)
    for name, evaluation in result.evaluations.items():
        typer.echo(f"{name:8} mean reward {evaluation.mean:.3f} on {len(evaluation.scores)} prompts")
    typer.echo(f"run      {result.directory}")
    typer.echo(f"model    {result.model}")
