"""`posttrain eval MODEL DATA`: what a model, or two on the same items, gets on held-out data."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posttrain.cli.data import columns_of, renames
from posttrain.cli.decoding import (
    Answering,
    By,
    ChoiceSpec,
    DecoderSpec,
    Roles,
    SearchBy,
    SearchSpec,
    answering,
    reward_of,
)
from posttrain.cli.model import ModelName, open_model, open_scorer

if TYPE_CHECKING:
    from posttrain.data.dataset import Dataset
    from posttrain.evaluation.summary import Difference, Summary
    from posttrain.launch.measure import Measured
    from posttrain.records import Record
    from posttrain.rewards.reward import Reward

UNITS = {
    "prompts": "prompts",
    "pairs": "pairs",
    "candidates": "prompts",
}  # kind of data -> what is counted; the others are records
REWARD = "math_answer"


def evaluate(
    model: ModelName,
    data: Annotated[str, typer.Argument(help="File, hub id or bundled generator.", show_default=False)],
    reward: Annotated[
        list[str] | None,
        typer.Option(help="Reward of the answers: NAME or NAME:key=value; repeatable. Default: math_answer."),
    ] = None,
    against: Annotated[str | None, typer.Option(help="A second model, compared on the same items.")] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="prompts, pairs, candidates, demonstrations or text; default: by columns, --reward."),
    ] = None,
    samples: Annotated[int, typer.Option(help="Answers per prompt.", min=1)] = 1,
    temperature: Annotated[float, typer.Option(help="Sampling temperature; 0 is greedy.", min=0)] = 0.0,
    max_tokens: Annotated[int, typer.Option(help="Maximum length of an answer in tokens.", min=1)] = 256,
    size: Annotated[int | None, typer.Option(help="Number of records.", min=1)] = None,
    chat: Annotated[bool, typer.Option("--chat", help="Make plain-text prompts messages of a chat.")] = False,
    answer_after: Annotated[str | None, typer.Option(help="Marker in front of the final answer, e.g. ####")] = None,
    column: Annotated[list[str] | None, typer.Option(help="Renamed column: ours=theirs, e.g. prompt=question")] = None,
    drop_invalid: Annotated[bool, typer.Option("--drop-invalid", help="Skip rows that cannot be used.")] = False,
    decoder: DecoderSpec = None,
    role: Roles = None,
    choose: ChoiceSpec = None,
    choose_by: By = None,
    search: SearchSpec = None,
    search_by: SearchBy = None,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--output", "--out", help="Write one JSON record per item, answers included.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="Column whose groups are reported apart, of pairs or candidates; repeatable."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder for the report on pairs or candidates: JSON, Markdown and a figure.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Measure a model on held-out data, with 95% intervals.

    Prompts are answered and the answers scored. On pairs and candidates, it is the accuracy of a reward model's scores,
    or of a language model's log-probs. On demonstrations and text it is the loss per token.
    """
    from posttrain.cli import reward_report
    from posttrain.core.kinds import guess
    from posttrain.data.dataset import load

    names = renames(column or [])
    kind = kind or ("prompts" if reward else guess(columns_of(data) | names.keys()).name)
    dataset = load(
        data, kind, columns=names, answer_after=answer_after, size=size, chat=chat,
        invalid="drop" if drop_invalid else "stop",
    )  # fmt: skip
    reward_report.check(kind, by or [], report, dataset)
    rewards = [reward_of(spec) for spec in reward or [REWARD]] if kind == "prompts" else []
    for record in dataset if rewards else ():
        _check_columns(rewards, record)
    if out is not None:
        _write(out, "", mode="a")  # before the work, not after it
    sampling = {"samples": samples, "temperature": temperature, "max_tokens": max_tokens}
    models = [model, *([against] if against else [])]
    asked = [_answering(m, kind, decoder, role, choose, choose_by, search, search_by, temperature) for m in models]
    for record in dataset if asked[0].scorers else ():
        _check_columns(asked[0].scorers, record)
    results = [_measured(m, dataset, kind, rewards, seed, sampling, a) for m, a in zip(models, asked, strict=True)]
    if out is not None:
        _write(out, _items(models, results))
    described = [_described(m, r) for m, r in zip(models, results, strict=True)]
    judged = reward_report.make(kind, models, results, by or [], report)
    for row, made in zip(described, judged, strict=False):
        row["report"] = made.data
    if as_json:
        typer.echo(json.dumps({"data": data, **_together(described, results)}))
        return
    for line in _lines(models, results, UNITS.get(kind, "records")):
        typer.echo(line)
    for made in judged:
        typer.echo("\n".join(made.lines))


def _answering(model: str, kind: str, *options: Any) -> Answering:
    """Return how a model answers prompts; of other kinds nothing is sampled."""
    from posttrain.errors import ConfigError

    if kind == "prompts":
        return answering(model, *options)
    if any(options[:-1]):
        raise ConfigError(f"--decoder, --role, --choose and --search: no answer to {kind} is sampled; add --reward")
    return Answering()


def _items(models: Sequence[str], results: Sequence[Measured]) -> str:
    """Return a line of JSON for each item; it names the model where there are two."""
    named = ({"model": m} if len(models) > 1 else {} for m in models)
    rows = [{**own, **row} for own, r in zip(named, results, strict=True) for row in r.rows]
    return "".join(json.dumps(r, ensure_ascii=False, allow_nan=False) + "\n" for r in rows)


def _together(described: Sequence[dict[str, Any]], results: Sequence[Measured]) -> dict[str, Any]:
    """Return the numbers of the first model, and those of the second with the differences between the two."""
    compared = {"against": described[1], "difference": _differences(results)} if len(described) > 1 else {}
    return {"reward": next(iter(results[0].scores)), **described[0], **compared}


def _check_columns(rewards: Sequence[Reward], record: Record) -> None:
    """Raise DataError for a column that a reward cannot do without, before any answer is sampled."""
    from posttrain.errors import DataError
    from posttrain.rewards.reward import check_columns

    try:
        check_columns(rewards, record.columns, record.where)
    except DataError as error:
        raise DataError(f"{error}; of posttrain eval: --column OURS=THEIRS, or another --reward") from error


def _measured(
    model: str,
    data: Dataset,
    kind: str,
    rewards: Sequence[Reward],
    seed: int,
    sampling: dict[str, Any],
    asked: Answering,
) -> Measured:
    """Open a model and measure it on records of a kind."""
    from posttrain.errors import ConfigError
    from posttrain.launch import measure

    if kind in ("pairs", "candidates"):
        return _judged(model, data, kind, seed)
    with open_model(model, seed=seed, models=asked.models) as session:
        if kind == "prompts":
            return measure.of_prompts(session, data, rewards, **sampling, **asked.how)
        kept, _ = session.run.rows(data, kind)
        if kind in ("demonstrations", "text"):
            return measure.of_records(session, kept, kind)
    raise ConfigError(f"--kind {kind}: a model is measured on prompts, pairs, candidates, demonstrations or text")


def _judged(model: str, data: Dataset, kind: str, seed: int) -> Measured:
    """Open a model and let it judge pairs or candidates. Raises DataError if none of them can be judged."""
    from posttrain.errors import DataError
    from posttrain.launch import measure

    with open_scorer(model, seed=seed) as session:
        if "reward" not in session.run.text_roles:
            data, _ = session.run.rows(data, kind)
        measured = {"pairs": measure.of_pairs, "candidates": measure.of_candidates}[kind](session, data)
    if not measured.judged:
        raise DataError(f"{data.name}: none of the {len(data)} {kind} can be judged by {model}")
    return measured


def _described(model: str, measured: Measured) -> dict[str, Any]:
    """Describe what a model got, as plain data. The principal number is at the top."""
    from posttrain.evaluation.summary import all_pass, majority, passes, summary

    scores = {name: _plain(summary(values, measured.tokens)) for name, values in measured.scores.items()}
    first = next(iter(scores.values()))
    more: dict[str, Any] = {f"pass@{k}": x for k, x in passes(measured.answers).items()}
    more |= {f"pass^{k}": x for k, x in all_pass(measured.answers).items()}
    more |= {f"maj@{n}": x for n, x in majority(measured.votes).items()}
    if measured.tokens:
        more["perplexity"] = math.exp(min(first["mean"], 700.0))
    return {"model": model, **first, "scores": scores, "unscored": measured.asked - first["n"], **more}


def _plain(found: Summary | Difference) -> dict[str, Any]:
    """Return the numbers of a summary, null for what JSON cannot hold: the interval of a single item."""
    from posttrain.runs.metrics import finite

    return {name: finite(x) for name, x in vars(found).items()}


def _differences(results: Sequence[Measured]) -> dict[str, Any]:
    from posttrain.evaluation.summary import difference

    one, two = results
    return {n: _plain(difference(one.scores[n], two.scores[n])) for n in one.scores if n in two.scores}


def _lines(models: Sequence[str], results: Sequence[Measured], unit: str) -> Iterator[str]:
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


def _write(path: Path, text: str, *, mode: str = "w") -> None:
    from posttrain.errors import StorageError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise StorageError(f"--output {path}: cannot be written ({error.strerror})") from error
