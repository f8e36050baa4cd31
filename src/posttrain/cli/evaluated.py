"""What `posttrain eval` prints and writes: the numbers of each model, the differences, and a record of each item."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from posttrain.cli.reward_report import Made
    from posttrain.evaluation.suite_result import Number
    from posttrain.launch.measure import Measured


UNITS = {
    "prompts": "prompts",
    "pairs": "pairs",
    "candidates": "prompts",
}  # kind of data -> what is counted; the others are records


def show(
    data: str, models: Sequence[str], results: Sequence[Measured], judged: Sequence[Made], kind: str, *, as_json: bool
) -> None:
    """Print what the models got, and the reports on pairs or candidates, if there are any."""
    if as_json:
        rows = [described(m, r) for m, r in zip(models, results, strict=True)]
        for row, made in zip(rows, judged, strict=False):
            row["report"] = made.data
        typer.echo(json.dumps({"data": data, **together(rows, results)}))
        return
    for line in lines(models, results, UNITS.get(kind, "records")):
        typer.echo(line)
    for made in judged:
        typer.echo("\n".join(made.lines))


def items(models: Sequence[str], results: Sequence[Measured]) -> str:
    """Return a line of JSON for each item; it names the model where there are two."""
    named = ({"model": m} if len(models) > 1 else {} for m in models)
    rows = [{**own, **row} for own, r in zip(named, results, strict=True) for row in r.rows]
    return "".join(json.dumps(r, ensure_ascii=False, allow_nan=False) + "\n" for r in rows)


def together(described: Sequence[dict[str, Any]], results: Sequence[Measured]) -> dict[str, Any]:
    """Return the numbers of the first model, and those of the second with the differences between the two."""
    compared = {"against": described[1], "difference": _differences(results)} if len(described) > 1 else {}
    return {"reward": next(iter(results[0].scores)), **described[0], **compared}


def described(model: str, measured: Measured) -> dict[str, Any]:
    """Describe what a model got, as plain data. The principal number is at the top."""
    from posttrain.evaluation.summary import all_pass, majority, passes, summary

    scores = {name: plain(summary(values, measured.tokens)) for name, values in measured.scores.items()}
    first = next(iter(scores.values()))
    more: dict[str, Any] = {f"pass@{k}": x for k, x in passes(measured.answers).items()}
    more |= {f"pass^{k}": x for k, x in all_pass(measured.answers).items()}
    more |= {f"maj@{n}": x for n, x in majority(measured.votes).items()}
    if measured.tokens:
        more["perplexity"] = math.exp(min(first["mean"], 700.0))
    return {"model": model, **first, "scores": scores, "unscored": measured.asked - first["n"], **more}


def plain(found: Number) -> dict[str, Any]:
    """Return the numbers of a summary, null for what JSON cannot hold: the interval of a single item."""
    from posttrain.runs.metrics import finite

    return {name: finite(x) for name, x in vars(found).items()}


def _differences(results: Sequence[Measured]) -> dict[str, Any]:
    from posttrain.evaluation.summary import difference

    one, two = results
    return {n: plain(difference(one.scores[n], two.scores[n])) for n in one.scores if n in two.scores}


def lines(models: Sequence[str], results: Sequence[Measured], unit: str) -> Iterator[str]:
    """Yield what is printed: each number of each model, then the differences."""
    from posttrain.evaluation.summary import all_pass, difference, majority, passes, summary

    for model, measured in zip(models, results, strict=True):
        before = f"{model}: " if len(models) > 1 else ""
        for name, values in measured.scores.items():
            found = summary(values, measured.tokens)
            per = f" per token, perplexity {math.exp(min(found.mean, 700.0)):.4g}," if measured.tokens else ""
            yield f"{before}{name} {found}{per} on {found.n} {unit}"
        if len(passes(measured.answers)) > 1:
            yield before + "  ".join(f"pass@{k} {x:.4f}" for k, x in passes(measured.answers).items())
            yield before + "  ".join(f"pass^{k} {x:.4f}" for k, x in all_pass(measured.answers).items())
        for n, x in majority(measured.votes).items():
            yield f"{before}maj@{n} {x:.4f}"
        if lacking := measured.asked - len(next(iter(measured.scores.values()))):
            yield f"{before}{lacking} of {measured.asked} {unit} have no number and are left out"
    if len(models) > 1:
        for name in (n for n in results[0].scores if n in results[1].scores):
            compared = difference(results[0].scores[name], results[1].scores[name])
            yield f"{name} of {models[0]} less that of {models[1]}: {compared}"


def write(path: Path, text: str, *, mode: str = "w") -> None:
    """Write a file of `--output`, and its folder. Raises StorageError where that cannot be done."""
    from posttrain.errors import StorageError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise StorageError(f"--output {path}: cannot be written ({error.strerror})") from error
