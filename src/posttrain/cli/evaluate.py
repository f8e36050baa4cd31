"""`posttrain eval MODEL DATA`: what a model, or two on the same items, gets on held-out data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posttrain.cli.data import columns_of, renames
from posttrain.cli.decoding import (
    Answering,
    Begin,
    By,
    ChoiceSpec,
    DecoderSpec,
    Roles,
    SearchBy,
    SearchSpec,
    answering,
    reward_of,
)
from posttrain.cli.evaluated import items, show, write
from posttrain.cli.model import ModelName, open_model, open_scorer
from posttrain.cli.suites import check_alone, evaluate_suites
from posttrain.errors import ConfigError

if TYPE_CHECKING:
    from posttrain.data.dataset import Dataset
    from posttrain.launch.measure import Measured
    from posttrain.records import Record
    from posttrain.rewards.reward import Reward

REWARD = "math_answer"


def evaluate(
    model: ModelName,
    data: Annotated[
        str | None, typer.Argument(help="File, hub id or bundled generator; not with --suite.", show_default=False)
    ] = None,
    suite: Annotated[
        list[str] | None, typer.Option(help="Suite in place of DATA: NAME, ./mine.py, NAME:key=value; repeatable.")
    ] = None,
    reward: Annotated[
        list[str] | None,
        typer.Option(help="Reward of the answers: NAME or NAME:key=value; repeatable. Default: math_answer."),
    ] = None,
    against: Annotated[str | None, typer.Option(help="A second model, compared on the same items.")] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="prompts, pairs, candidates, demonstrations or text; default: by columns, --reward."),
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Answers per prompt; default: 1, or the suite's.", min=1)] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Sampling temperature; default: 0, which is greedy, or the suite's.", min=0)
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(help="Maximum length of an answer in tokens; default: 256, or the suite's.", min=1)
    ] = None,
    size: Annotated[int | None, typer.Option(help="Number of records.", min=1)] = None,
    chat: Annotated[bool, typer.Option("--chat", help="Make plain-text prompts messages of a chat.")] = False,
    system: Annotated[str, typer.Option(help="System prompt: a text, or a .txt or .md file that holds it.")] = "",
    answer_after: Annotated[str | None, typer.Option(help="Marker in front of the final answer, e.g. ####")] = None,
    column: Annotated[list[str] | None, typer.Option(help="Renamed column: ours=theirs, e.g. prompt=question")] = None,
    drop_invalid: Annotated[bool, typer.Option("--drop-invalid", help="Skip rows that cannot be used.")] = False,
    decoder: DecoderSpec = None,
    role: Roles = None,
    choose: ChoiceSpec = None,
    choose_by: By = None,
    search: SearchSpec = None,
    search_by: SearchBy = None,
    begin: Begin = "",
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
    """Measure a model on held-out data or suites, with 95% intervals.

    Prompts are answered and the answers scored. On pairs and candidates, it is the accuracy of a reward model's scores,
    or of a language model's log-probs. On demonstrations and text it is the loss per token.
    """
    from posttrain.cli import reward_report
    from posttrain.core.kinds import guess
    from posttrain.data.dataset import load
    from posttrain.data.under import prompt_text

    models = [model, *([against] if against else [])]
    if suite:
        decoding = {"samples": samples, "temperature": temperature, "max_tokens": max_tokens}
        others = (data, reward, kind, size, chat, system, answer_after, column, drop_invalid, by, report)
        check_alone(*others, decoder, choose, choose_by, search, search_by, begin)
        evaluate_suites(models, suite, decoding=decoding, roles=role, seed=seed, out=out, as_json=as_json)
        return
    if data is None:
        raise ConfigError("there is nothing to measure on; give DATA, or --suite NAME")
    names = renames(column or [])
    kind = kind or ("prompts" if reward else guess(columns_of(data) | names.keys()).name)
    dataset = load(
        data, kind, columns=names, answer_after=answer_after, size=size, chat=chat, system=prompt_text(system),
        invalid="drop" if drop_invalid else "stop",
    )  # fmt: skip
    reward_report.check(kind, by or [], report, dataset)
    rewards = [reward_of(spec) for spec in reward or [REWARD]] if kind == "prompts" else []
    if out is not None:
        write(out, "", mode="a")  # before the work, not after it
    sampling = {"samples": samples or 1, "temperature": temperature or 0.0, "max_tokens": max_tokens or 256}
    how = (decoder, role, choose, choose_by, search, search_by, temperature or 0.0)
    asked = [_answering(m, kind, begin, *how) for m in models]
    for record in dataset if rewards else ():
        _check_columns([*rewards, *asked[0].scorers], record)
    results = [_measured(m, dataset, kind, rewards, seed, sampling, a) for m, a in zip(models, asked, strict=True)]
    if out is not None:
        write(out, items(models, results))
    show(data, models, results, reward_report.make(kind, models, results, by or [], report), kind, as_json=as_json)


def _answering(model: str, kind: str, begin: str, *options: Any) -> Answering:
    """Return how a model answers prompts; of other kinds nothing is sampled."""
    if kind == "prompts":
        return replace(answering(model, *options), begin=begin)
    if begin or any(options[:-1]):
        raise ConfigError(
            f"--decoder, --role, --choose, --search and --begin: no answer to {kind} is sampled; add --reward"
        )
    return Answering()


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
    with open_model(model, seed=seed, models=asked.models, sampling={"begin": asked.begin}) as session:
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
