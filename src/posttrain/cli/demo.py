"""`posttrain demo`: offline, learns in front of you."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Which(StrEnum):
    """The demonstrations."""

    smollm2 = "smollm2"
    tiny = "tiny"


def demo(
    which: Annotated[Which, typer.Argument(help="A real model, or a tiny one from scratch.")] = Which.smollm2,
    output: Annotated[Path, typer.Option(help="Folder that holds the runs.")] = Path("runs"),
    seed: Annotated[int, typer.Option(help="Seed of all randomness.")] = 0,
) -> None:
    """Watch a model learn arithmetic with GRPO: accuracy on held-out problems before and after."""
    from posttrain.cli.demonstration import run
    from posttrain.viewer.live import open_display

    result = run(which.value, typer.echo, open_display(), output, seed)
    for number, (question, before, after) in enumerate(result.examples, 1):
        typer.echo(f"\n{number}. {question}\n   before  {_line(before)}\n   after   {_line(after)}")
    typer.echo(
        f"\naccuracy {result.before:.1%} -> {result.after:.1%} greedy, {result.before_sampled:.1%} -> "
        f"{result.after_sampled:.1%} sampled; exact test p = {result.p_value:.1e}"
    )
    typer.echo(f"model    {result.model_dir}")
    typer.echo(f"RESULT {json.dumps(result.as_json())}")


def _line(text: str) -> str:
    """A completion on one line, with what a terminal could obey made harmless."""
    from posttrain.viewer.terminal import harmless

    return harmless(" ".join(text.split()))[:160]
