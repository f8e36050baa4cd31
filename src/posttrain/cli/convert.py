"""`posttrain convert trl CONFIG`: a run file from the configuration of another trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def convert(
    peer: Annotated[
        str, typer.Argument(metavar="TRAINER", help="trl, verl, openrlhf, axolotl or llamafactory.", show_default=False)
    ],
    config: Annotated[
        str,
        typer.Argument(help="YAML, JSON or .sh file, or a command line in quotes.", show_default=False),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: standard output.")
    ] = None,
    trainer: Annotated[
        str | None, typer.Option(help="TRL's trainer, where the file does not tell: sft, dpo, kto, grpo, ...")
    ] = None,
    gpus: Annotated[
        int | None, typer.Option(help="Processes that it ran on; they multiply the batch size. Default: 1.", min=1)
    ] = None,
) -> None:
    """Convert another trainer's configuration into a run file, and say what has no counterpart."""
    from posttrain.convert.converter import checked, convert_text

    text = checked(convert_text(peer, config, trainer=trainer, gpus=gpus))
    if output is None:
        typer.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    typer.echo(f"{output}\ncheck it: posttrain train {output}; remarks are at its end")
