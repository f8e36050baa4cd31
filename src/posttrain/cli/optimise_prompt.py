"""`posttrain optimise-prompt RUN.yaml key=value ...`: the prompt before and after, and what both get."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile

FOLDER = "prompts/"


def optimise_prompt(
    context: typer.Context,
    run_file: Annotated[Path, typer.Argument(metavar="RUN.yaml", help="The run file.", show_default=False)],
    resume: Annotated[
        str,
        typer.Option(metavar="STEP|FOLDER|never", help="Resume from the newest usable checkpoint, or this one."),
    ] = "never",
) -> None:
    """Search for a better prompt as a run file describes. Overrides follow it: procedure.rounds=3

    The run file names a procedure of prompts/ (posttrain methods prompts). No model is changed but a writer of prompts.
    """
    from posttrain.config.load import load
    from posttrain.launch.run import launch
    from posttrain.viewer.live import open_display

    run = load(run_file, context.args)
    check(run)
    with open_display() as display:
        result = launch(run, resume=resume, display=display)
    for line in lines(result.artefacts):
        typer.echo(line)
    typer.echo(f"run      {result.directory}")


def check(run: RunFile) -> None:
    """Raise ConfigError for a run file that searches for no prompt; a procedure of the user's own is believed."""
    from posttrain.catalogue import index as catalogue
    from posttrain.errors import ConfigError

    named = [n for n in catalogue.procedures() if n.startswith(FOLDER)]
    path = run.procedure.path if run.procedure else ""
    if not path.endswith(".py") and catalogue.PROCEDURES.full(path) not in named:
        raise ConfigError(
            f"procedure: {path or 'none'} does not search for a prompt; give one of {', '.join(named)}, or train with "
            "posttrain train"
        )


def lines(artefacts: Mapping[str, Path]) -> Iterator[str]:
    """Yield what a run found: the prompts, what both get on held-out examples, and how to go on with it."""
    files = {name.split(".")[0]: file for name, file in artefacts.items()}
    for label, name in (("before", "start"), ("after", "prompt")):
        if name in files:
            yield f"{label:8} {files[name].read_text(encoding='utf-8') or '(no prompt)'}"
    if "held_out" in files:
        yield from compared(json.loads(files["held_out"].read_text(encoding="utf-8")))
    if "prompt" in files:
        yield f"use it   posttrain eval MODEL DATA --system {files['prompt']}, or data: {{system: ...}} in a run file"


def compared(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the held-out scores with their intervals, and the paired test."""
    for name in ("before", "after"):
        yield f"score    {name} {interval(found[name])} on {found[name]['n']} examples"
    change = found["difference"]
    yield (
        f"change   {interval(change, '+')}, better on {change['above']} and worse on {change['below']} of "
        f"{change['n']}, p = {change['p_value']:.3g} (sign test)"
    )


def interval(x: Mapping[str, Any], sign: str = "") -> str:
    """Return a mean with its 95% interval, which a single example has not."""
    bounds = "" if x["low"] is None else f" [{x['low']:{sign}.4f}, {x['high']:{sign}.4f}]"
    return f"{x['mean']:{sign}.4f}{bounds}"
