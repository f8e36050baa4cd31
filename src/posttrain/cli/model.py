"""Models on the command line: `sample`, and a session on a model alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posttrain.cli.decoding import Begin, By, ChoiceSpec, DecoderSpec, Roles, SearchBy, SearchSpec, answering

if TYPE_CHECKING:
    from posttrain.training.session import Session

ModelName = Annotated[
    str, typer.Argument(help="Model, adapter or run: folder, hub id, bundled name.", show_default=False)
]


def sample(
    model: ModelName,
    prompt: Annotated[list[str], typer.Argument(help="One or more prompts.", show_default=False)],
    samples: Annotated[int, typer.Option(help="Answers per prompt.", min=1)] = 1,
    max_tokens: Annotated[int, typer.Option(help="Maximum length of an answer in tokens.", min=1)] = 128,
    temperature: Annotated[float, typer.Option(help="Sampling temperature; 0 is greedy.", min=0)] = 1.0,
    top_p: Annotated[float, typer.Option(help="Nucleus (top-p) mass.")] = 1.0,
    top_k: Annotated[int, typer.Option(help="Top-k; 0 disables.", min=0)] = 0,
    decoder: DecoderSpec = None,
    role: Roles = None,
    choose: ChoiceSpec = None,
    by: By = None,
    search: SearchSpec = None,
    search_by: SearchBy = None,
    begin: Begin = "",
    plain: Annotated[bool, typer.Option("--plain", help="Continue the plain text, without a chat template.")] = False,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
) -> None:
    """Sample answers from a model."""
    from posttrain.core.method import Sampling
    from posttrain.records import Prompt
    from posttrain.rewards.reward import check_columns

    settings = {"max_tokens": max_tokens, "top_p": top_p, "top_k": top_k, "begin": begin}
    asked = answering(model, decoder, role, choose, by, search, search_by, temperature)
    how = Sampling(samples=samples * asked.drawn, temperature=temperature, decoder=asked.decoder)
    check_columns(asked.scorers, (), "the prompt")
    with open_model(model, seed=seed, sampling=settings, models=asked.models) as session:
        prompts = [Prompt(i, p if plain else ({"role": "user", "content": p},)) for i, p in enumerate(prompt)]
        if asked.search is not None:
            trees = [session.search(f"sample-{k}", prompts, *asked.search, how) for k in range(samples)]
            answers = [f.episode(f.best) for found in zip(*trees, strict=True) for f in found]
        else:
            answers = session.sample(prompts, how)
        if asked.choice is not None:
            answers = session.rerank(answers, asked.choice, asked.by)
        for r in answers:
            typer.echo(f"> {prompt[r.prompt.id]}\n{r.text.strip()}" + ("" if r.ended else " [cut]"))


def open_scorer(model: str, *, seed: int) -> Session:
    """Open a session on a model that scores answers. One that cannot write gets the role of a reward model."""
    from posttrain.config.load import load
    from posttrain.errors import ModelError
    from posttrain.launch.run import open_session

    try:
        return open_model(model, seed=seed, scoring=True)
    except ModelError as error:
        content = {"model": "tiny", "models": {"reward": model}, "seed": seed}
        try:
            return open_session(load(content, complete=False), write=False)
        except ModelError:
            raise error from None


def open_model(
    model: str,
    *,
    seed: int,
    sampling: Mapping[str, Any] | None = None,
    models: Mapping[str, str] | None = None,
    scoring: bool = False,
) -> Session:
    """Open a session on a model, without a run directory. `models`: others by role; `scoring`: it is its own reward."""
    from posttrain.config.load import load
    from posttrain.launch.run import open_session

    content = {"model": model, "seed": seed, "sampling": dict(sampling or {}), "models": dict(models or {})}
    content |= {"models": {"reward": "policy"}} if scoring else {}
    return open_session(load(content, complete=False), write=False)
