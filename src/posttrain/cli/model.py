"""Commands that use a model: `sample`, `export`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    plain: Annotated[bool, typer.Option("--plain", help="Continue the plain text, without a chat template.")] = False,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
) -> None:
    """Sample answers from a model."""
    from posttrain.core.method import Sampling
    from posttrain.records import Prompt

    settings = {"max_tokens": max_tokens, "top_p": top_p, "top_k": top_k}
    with open_model(model, seed=seed, sampling=settings) as session:
        prompts = [Prompt(i, p if plain else ({"role": "user", "content": p},)) for i, p in enumerate(prompt)]
        for r in session.sample(prompts, Sampling(samples=samples, temperature=temperature)):
            typer.echo(f"> {prompt[r.prompt.id]}\n{r.text.strip()}" + ("" if r.ended else " [cut]"))


def export(
    model: ModelName,
    folder: Annotated[Path, typer.Argument(help="Folder to write to.", show_default=False)],
    dtype: Annotated[
        str | None, typer.Option(help="float32, bfloat16, float16 or float64; default: that of the model's files.")
    ] = None,
) -> None:
    """Save a model as a plain transformers folder, with adapters merged."""
    import torch

    from posttrain.models.loading.dtypes import WRITTEN, cast, dtype_called
    from posttrain.models.loading.load import load
    from posttrain.models.loading.save import save

    target = None if dtype is None else dtype_called(dtype, WRITTEN)
    loaded = load(model)
    if torch.float64 in (target, loaded.stored):
        loaded = load(model, dtype="float64")
    cast(loaded.network, target or loaded.stored)
    save(loaded.network, loaded.tokenizer, folder)
    typer.echo(f"{folder}")


def open_model(model: str, *, seed: int, sampling: Mapping[str, float] | None = None, scoring: bool = False) -> Session:
    """Open a session on a model alone, without a run directory; `scoring`: it is its own reward model."""
    from posttrain.config.load import load
    from posttrain.launch.run import open_session

    content = {"model": model, "seed": seed, "sampling": dict(sampling or {})}
    content |= {"models": {"reward": "policy"}} if scoring else {}
    return open_session(load(content, complete=False), write=False)
