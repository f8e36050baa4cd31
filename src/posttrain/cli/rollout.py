"""`posttrain rollout ENV --model MODEL`: episodes of a model in an environment, turn by turn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from posttrain.config.schema import RunFile


def rollout(
    context: typer.Context,
    environment: Annotated[str, typer.Argument(help="Environment: a bundled name, or ./file.py.", show_default=False)],
    model: Annotated[str, typer.Option(help="Model, adapter or run: folder, hub id, bundled name.")],
    data: Annotated[str, typer.Option(help="Prompts; by default the tasks of the environment.")] = "environment",
    count: Annotated[int, typer.Option(help="Number of prompts.", min=1)] = 1,
    samples: Annotated[int, typer.Option(help="Episodes per prompt.", min=1)] = 1,
    max_tokens: Annotated[int, typer.Option(help="Maximum length of a turn in tokens.", min=1)] = 256,
    temperature: Annotated[float, typer.Option(help="Sampling temperature; 0 is greedy.", min=0)] = 1.0,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON record per episode.")] = False,
) -> None:
    """Play episodes, and show who wrote what: the tokens that would be trained are marked.

    Settings of the environment and other keys of a run file follow as key=value: environment.max_turns=4.
    """
    from rich.console import Console

    from posttrain.cli.episode import shown
    from posttrain.core.method import Sampling
    from posttrain.launch.run import open_session
    from posttrain.records import Prompt
    from posttrain.runs.samples import row

    content: dict[str, Any] = {"model": model, "environment": {"path": environment}, "seed": seed}
    content |= {"data": {"path": data, "size": count}, "sampling": {"max_tokens": max_tokens}}
    file = _load(content, context.args)
    with open_session(file, write=False) as session:
        prompts = [p for p in session.dataset(file.data["main"], "prompts") if isinstance(p, Prompt)]
        played = session.sample(prompts, Sampling(samples=samples, temperature=temperature), names=("rollout",))
        episodes = session.score(played)
    if as_json:
        for episode in episodes:
            typer.echo(json.dumps(row(0, episode, None), ensure_ascii=False))
        return
    console = Console(highlight=False)
    for episode in episodes:
        console.print(shown(episode, session.run.encoder.tokenizer))


def _load(content: dict[str, Any], overrides: list[str]) -> RunFile:
    from posttrain.config.load import load

    return load(content, overrides, base=Path.cwd(), complete=False)
