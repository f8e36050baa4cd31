"""Commands that use a model: `sample`, `eval`, `export`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from posttrain.cli.data import renames

ModelName = Annotated[str, typer.Argument(help="Folder, hub id or bundled name.", show_default=False)]


def sample(
    model: ModelName,
    prompt: Annotated[list[str], typer.Argument(help="One or more questions.", show_default=False)],
    samples: Annotated[int, typer.Option(help="Answers to each.", min=1)] = 1,
    max_tokens: Annotated[int, typer.Option(help="Longest answer, in tokens.", min=1)] = 128,
    temperature: Annotated[float, typer.Option(help="0 is greedy.", min=0)] = 1.0,
    top_p: Annotated[float, typer.Option(help="Draw from this much probability.")] = 1.0,
    top_k: Annotated[int, typer.Option(help="Draw from so many tokens; 0: all.", min=0)] = 0,
    plain: Annotated[bool, typer.Option("--plain", help="No chat template: continue the text.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of all randomness.")] = 0,
) -> None:
    """Let a model answer."""
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
    reward: Annotated[str, typer.Option(help="What scores an answer.")] = "math_answer",
    samples: Annotated[int, typer.Option(help="Answers to each prompt.", min=1)] = 1,
    temperature: Annotated[float, typer.Option(help="0 is greedy.", min=0)] = 0.0,
    max_tokens: Annotated[int, typer.Option(help="Longest answer, in tokens.", min=1)] = 256,
    size: Annotated[int | None, typer.Option(help="Use so many prompts.", min=1)] = None,
    answer_after: Annotated[str | None, typer.Option(help="The answer stands after this text, e.g. ####")] = None,
    column: Annotated[list[str] | None, typer.Option(help="ours=theirs, e.g. prompt=question")] = None,
    seed: Annotated[int, typer.Option(help="Seed of all randomness.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Answer held-out prompts, score the answers, and give the mean with a 95% interval."""
    from posttrain.data.dataset import load
    from posttrain.evaluation.statistics import interval
    from posttrain.records import Prompt
    from posttrain.rewards.reward import resolve

    columns = renames(column or [])
    dataset = load(data, "prompts", columns=columns, answer_after=answer_after, size=size)
    prompts = [p for p in dataset if isinstance(p, Prompt)]
    with _session(model, seed=seed) as session:
        scores = session.evaluate(
            prompts, [resolve(reward)], samples=samples, temperature=temperature, max_tokens=max_tokens
        ).scores
    low, high = interval(list(scores.values()))
    mean = sum(scores.values()) / max(len(scores), 1)
    found = {"model": model, "data": data, "reward": reward, "mean": mean, "low": low, "high": high, "n": len(scores)}
    typer.echo(
        json.dumps(found) if as_json else f"{reward} {mean:.4f} [{low:.4f}, {high:.4f}] on {len(scores)} prompts"
    )


def export(
    model: Annotated[Path, typer.Argument(help="A folder with a model, or a run directory.", show_default=False)],
    folder: Annotated[Path, typer.Argument(help="Where to write it.", show_default=False)],
    dtype: Annotated[str, typer.Option(help="float32 or bfloat16.")] = "float32",
) -> None:
    """Write a model as a plain transformers folder, with LoRA adapters merged."""
    from posttrain.models.loading.load import load, save

    source = model / "final" if (model / "final").is_dir() else model
    loaded = load(str(source), dtype=dtype)
    save(loaded.network, loaded.tokenizer, folder)
    typer.echo(f"{folder}")


def _session(model: str, *, seed: int, sampling: dict[str, float] | None = None):  # type: ignore[no-untyped-def]
    """A session that writes nothing. It has a method only because a run file must name one."""
    from posttrain.config.load import load
    from posttrain.launch.run import open_session

    content = {"model": model, "method": "imitation/sft", "data": "arithmetic", "seed": seed}
    return open_session(load(content | ({"sampling": sampling} if sampling else {})), write=False)
