"""Commands that use a model: `sample`, `eval`, `export`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posttrain.cli.data import renames

if TYPE_CHECKING:
    from posttrain.training.evaluation import Evaluation
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
    with _session(model, seed=seed, sampling=settings) as session:
        prompts = [Prompt(i, p if plain else ({"role": "user", "content": p},)) for i, p in enumerate(prompt)]
        for r in session.sample(prompts, Sampling(samples=samples, temperature=temperature)):
            typer.echo(f"> {prompt[r.prompt.id]}\n{r.text.strip()}" + ("" if r.ended else " [cut]"))


def evaluate(
    model: ModelName,
    data: Annotated[str, typer.Argument(help="File, hub id or bundled generator.", show_default=False)],
    reward: Annotated[str, typer.Option(help="Reward function.")] = "math_answer",
    samples: Annotated[int, typer.Option(help="Answers per prompt.", min=1)] = 1,
    temperature: Annotated[float, typer.Option(help="Sampling temperature; 0 is greedy.", min=0)] = 0.0,
    max_tokens: Annotated[int, typer.Option(help="Maximum length of an answer in tokens.", min=1)] = 256,
    size: Annotated[int | None, typer.Option(help="Number of prompts.", min=1)] = None,
    answer_after: Annotated[str | None, typer.Option(help="Marker in front of the final answer, e.g. ####")] = None,
    column: Annotated[list[str] | None, typer.Option(help="Renamed column: ours=theirs, e.g. prompt=question")] = None,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write one JSON record per prompt to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Sample answers to held-out prompts, score them, and print the mean with a 95% interval."""
    from posttrain.data.dataset import load
    from posttrain.evaluation.statistics import interval
    from posttrain.records import Prompt
    from posttrain.rewards.reward import resolve

    columns = renames(column or [])
    dataset = load(data, "prompts", columns=columns, answer_after=answer_after, size=size)
    prompts = [p for p in dataset if isinstance(p, Prompt)]
    if out is not None:
        _write(out, "", mode="a")  # before the work, not after it
    with _session(model, seed=seed) as session:
        evaluation = session.evaluate(
            prompts, [resolve(reward)], samples=samples, temperature=temperature, max_tokens=max_tokens
        )
    if out is not None:
        _write(out, "".join(json.dumps(r, ensure_ascii=False, allow_nan=False) + "\n" for r in records(evaluation)))
    n, mean = len(evaluation.scores), evaluation.mean
    low, high = interval(list(evaluation.scores.values()))
    result = {"model": model, "data": data, "reward": reward, "mean": mean, "low": low, "high": high, "n": n}
    typer.echo(json.dumps(result) if as_json else f"{reward} {mean:.4f} [{low:.4f}, {high:.4f}] on {n} prompts")


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


def records(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """Yield one record per prompt: its id, place and text, its score (null if none was scored), and its answers."""
    from posttrain.runs.samples import readable

    answers: dict[int, list[dict[str, Any]]] = {}
    prompts = {r.prompt.id: r.prompt for r in evaluation.rollouts}
    for r in evaluation.rollouts:
        described = {"completion": r.text, "reward": r.reward, "ended": r.ended, "tokens": len(r.tokens)}
        answers.setdefault(r.prompt.id, []).append(described)
    for key, prompt in prompts.items():
        text, score = readable(prompt.prompt), evaluation.scores.get(key)
        yield {"prompt_id": key, "where": prompt.where, "prompt": text, "score": score, "answers": answers[key]}


def _write(path: Path, text: str, *, mode: str = "w") -> None:
    from posttrain.errors import StorageError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise StorageError(f"--out {path}: cannot be written ({error.strerror})") from error


def _session(model: str, *, seed: int, sampling: Mapping[str, float] | None = None) -> Session:
    """Open a session on a model alone, without a run directory."""
    from posttrain.config.load import load
    from posttrain.launch.run import open_session

    content = {"model": model, "seed": seed, "sampling": dict(sampling or {})}
    return open_session(load(content, complete=False), write=False)
