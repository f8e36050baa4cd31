"""`posttrain demo`: a model learns offline while you watch."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from posttrain.errors import StoppedError


class Demo(StrEnum):
    """The demonstrations, named after their models, or after what is learned."""

    smollm2 = "smollm2"
    tiny = "tiny"
    tools = "tools"


def demo(
    name: Annotated[
        Demo, typer.Argument(help="A pretrained model, or a tiny one from scratch: tiny, or tools.")
    ] = Demo.smollm2,
    output: Annotated[Path, typer.Option(help="Folder that holds the runs.")] = Path("runs"),
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
) -> None:
    """Watch a model learn arithmetic, or calls of a tool, with GRPO: accuracy on held-out problems before and after."""
    from posttrain.cli.demonstration import run
    from posttrain.viewer.live import open_display

    try:
        result = run(name.value, typer.echo, open_display(), output, seed)
    except StoppedError as error:  # it has no --resume
        stopped = str(error).partition(";")[0]
        raise StoppedError(f"{stopped}; a demonstration begins anew the next time", error.exit_code - 128) from None
    for number, (question, before, after) in enumerate(result.examples, 1):
        typer.echo(f"\n{number}. {question}\n   before  {_one_line(before)}\n   after   {_one_line(after)}")
    typer.echo(
        f"\naccuracy {result.before:.1%} -> {result.after:.1%} greedy, {result.before_sampled:.1%} -> "
        f"{result.after_sampled:.1%} sampled; exact test p = {result.p_value:.1e}"
    )
    if result.ended_early:
        typer.echo(f"{result.ended_early}; an idle machine takes all of them")
    typer.echo(f"model    {result.model_dir}")
    typer.echo(f"RESULT {json.dumps(result.as_json())}")


def _one_line(text: str) -> str:
    """Return a completion on one line, with control characters escaped."""
    from posttrain.viewer.terminal import escaped

    return escaped(" ".join(text.split()))[:160]
