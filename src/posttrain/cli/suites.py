"""`posttrain eval MODEL --suite NAME`: one model, or two on the same items, on fixed suites; `posttrain suites`."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posttrain.catalogue.index import SUITES
from posttrain.cli import evaluated
from posttrain.cli.decoding import loaded
from posttrain.cli.model import open_model

if TYPE_CHECKING:
    from posttrain.evaluation.suite import Suite
    from posttrain.evaluation.suite_result import SuiteResult

Results = dict[str, "SuiteResult"]


def suites(
    words: Annotated[list[str] | None, typer.Argument(help="Words that the name or the text contains.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """List the suites of posttrain eval and of a run file's `evaluate.suites`, with the papers that they follow."""
    found = []
    for name in SUITES.names:
        text = inspect.cleandoc(ast.get_docstring(ast.parse(SUITES.file(name).read_text(encoding="utf-8"))) or "")
        if all(word.lower() in f"{name} {text}".lower() for word in words or ()):
            found.append({"name": name, "title": " ".join(text.split("\n\n")[0].split())})
    if as_json:
        typer.echo(json.dumps(found))
        return
    for row in found:
        typer.echo(f"{row['name']:32} {row['title']}")


def evaluate_suites(
    models: Sequence[str],
    specs: Sequence[str],
    *,
    decoding: Mapping[str, Any],
    roles: Sequence[str] | None,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure models on suites; print the numbers and write the items. `decoding`: what replaces that of the suites."""
    chosen = named(specs, decoding)
    judges = judges_of(roles, chosen)
    if out is not None:
        evaluated.write(out, "", mode="a")  # before the work, not after it
    results = [_measured(model, chosen, judges, seed) for model in models]
    if out is not None:
        evaluated.write(out, "".join(_items(models, results)))
    if as_json:
        described = [{"model": m, "suites": {n: plain(r) for n, r in own.items()}} for m, own in _each(models, results)]
        compared = {"against": described[1], "difference": differences(*results)} if len(models) > 1 else {}
        typer.echo(json.dumps({**described[0], **compared}))
        return
    for line in lines(models, results):
        typer.echo(line)


def check_alone(*others: object) -> None:
    """Raise ConfigError for options that a suite does not read."""
    from posttrain.errors import ConfigError

    if any(others):
        raise ConfigError(
            "--suite: it brings its questions and how they are scored; beside it are read --against, --samples, "
            "--temperature, --max-tokens, --role judge=MODEL, --seed, --output and --json"
        )


def named(specs: Sequence[str], decoding: Mapping[str, Any]) -> dict[str, Suite]:
    """Load `NAME`, `./mine.py` or either with settings, by the name of its numbers. ConfigError for equal names."""
    from posttrain.errors import ConfigError
    from posttrain.training.suites import load_suite

    suites: dict[str, Suite] = {}
    replaced = {key: value for key, value in decoding.items() if value is not None}
    for spec in specs:
        suite = loaded(spec, lambda path, settings: load_suite(path, _with(path, settings, replaced)))
        assert suite is not None
        name = Path(spec.partition(":")[0]).stem
        if name in suites:
            raise ConfigError(f"--suite {spec}: a suite of this name is measured already; call eval once for each")
        suites[name] = replace(suite, **replaced)
    return suites


def _with(path: str, settings: Mapping[str, Any], replaced: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a suite, with the replaced ones that it has: its metrics may depend on them, as pass@k does."""
    from posttrain.catalogue.signature import Signature

    known = Signature(SUITES.function(path, None)).settings
    return {**settings, **{key: value for key, value in replaced.items() if key in known}}


def judges_of(roles: Sequence[str] | None, suites: Mapping[str, Suite]) -> dict[str, str]:
    """Read `judge=MODEL`. ConfigError where a suite lacks its judge, or a model is named that no suite asks."""
    from posttrain.errors import ConfigError
    from posttrain.training.suites import JUDGE

    given = {name: model for name, _, model in (role.partition("=") for role in roles or ())}
    judged = [name for name, suite in suites.items() if suite.judge is not None]
    if unread := next((r for r, model in given.items() if r != JUDGE or not model or not judged), None):
        raise ConfigError(f"--role {unread}: a suite reads no model but its judge, where it has one: judge=MODEL")
    if judged and not given:
        raise ConfigError(f"--suite {judged[0]} is judged; add --role judge=MODEL")
    return given


def _measured(model: str, suites: Mapping[str, Suite], judges: Mapping[str, str], seed: int) -> Results:
    from posttrain.training.suites import measure_suite

    with open_model(model, seed=seed, models=judges) as session:
        return {name: measure_suite(session.run, name, suite) for name, suite in suites.items()}


def _each(models: Sequence[str], results: Sequence[Results]) -> Iterator[tuple[str, Results]]:
    return zip(models, results, strict=True)


def plain(result: SuiteResult) -> dict[str, Any]:
    """Return a result as plain data, without its items."""
    return {
        "numbers": {name: evaluated.plain(x) for name, x in result.numbers.items()},
        "counters": result.counters,
        "cost": vars(result.cost),
        "ids": result.ids,
    }


def differences(one: Results, two: Results) -> dict[str, Any]:
    """Compare two models on the questions of every suite, metric by metric."""
    return {f"{name}.{metric}": evaluated.plain(found) for name, metric, found in _compared(one, two)}


def _compared(one: Results, two: Results) -> Iterator[tuple[str, str, Any]]:
    from posttrain.evaluation.summary import difference

    for name, result in one.items():
        for metric, scores in result.scores.items():
            others = two[name].scores[metric]
            if scores.keys() & others.keys():
                yield name, metric, difference(scores, others)


def lines(models: Sequence[str], results: Sequence[Results]) -> Iterator[str]:
    """Yield what is printed: numbers, counters and cost of each suite and model, then the differences."""
    for model, own in _each(models, results):
        before = f"{model}: " if len(models) > 1 else ""
        for name, found in own.items():
            for metric, number in found.numbers.items():
                yield f"{before}{name}.{metric} {number} on {number.n}"
            counted = ", ".join(f"{k} {what}" for what, k in found.counters.items())
            cost = f"{found.cost.read} tokens read, {found.cost.written} written, {found.cost.seconds:.1f} s"
            yield f"{before}{name}: {counted}; {cost}; " + ", ".join(f"{k} {v}" for k, v in found.ids.items())
    if len(models) > 1:
        for name, metric, compared in _compared(results[0], results[1]):
            yield f"{name}.{metric} of {models[0]} less that of {models[1]}: {compared}"


def _items(models: Sequence[str], results: Sequence[Results]) -> Iterator[str]:
    """Yield a line of JSON for each item of each suite and model."""
    from posttrain.training.suites import as_row

    for model, own in _each(models, results):
        for name, result in own.items():
            for item in result.items:
                columns = {"columns": dict(item.prompt.columns)}
                row = {"model": model, "suite": name, **as_row(item), **columns}
                yield json.dumps(row, ensure_ascii=False, default=str) + "\n"
