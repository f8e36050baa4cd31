"""`posttrain data agreement FILE`: how far the annotators of a feedback file agree, and how reliable each is."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posttrain.errors import DataError

if TYPE_CHECKING:
    from posttrain.data.feedback.act import Act
    from posttrain.data.feedback.votes import Vote


def agreement(
    source: Annotated[str, typer.Argument(metavar="FILE", help="Feedback file, folder or pattern (docs/feedback.md).")],
    resamples: Annotated[int, typer.Option(help="Bootstrap samples of the intervals.", min=1)] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Measure how far the annotators of a feedback file agree beyond chance, and how reliable each of them is."""
    import json

    from posttrain.cli.judge_biases import judge_biases
    from posttrain.data.feedback.act import is_act
    from posttrain.data.feedback.views import read_acts
    from posttrain.data.feedback.votes import votes
    from posttrain.data.sources import rows

    given = [(where, row) for where, row, *_ in rows(source, "prompts", 0, None)]
    if not any(is_act(row) for _, row in given):
        raise DataError(f"{source}: no row has a 'judgement', so this is no feedback file; see docs/feedback.md")
    acts, errors = read_acts(given)
    asked = votes(acts)
    accuracy = estimated_accuracy(asked)
    report = {
        "acts": len(acts),
        "questions": {name: question(own, resamples) for name, own in asked.items()},
        "annotators": {
            a: annotator(a, acts, asked) | {"estimated_accuracy": accuracy.get(a)}
            for a in sorted({act.annotator for act in acts})
        },
        "biases": {a: found for a in sorted({act.annotator for act in acts}) if (found := judge_biases(a, acts))},
        "unusable": list(map(str, errors)),
    }
    if as_json:
        typer.echo(json.dumps(report, indent=1))
    else:
        _print(source, report)
    if errors:
        raise typer.Exit(DataError.exit_code)


def question(own: Sequence[Vote], resamples: int) -> dict[str, Any]:
    """Return the agreement on one question, with 95% intervals; only counts where no item was judged by two."""
    from posttrain.evaluation import agreement as statistics

    units: dict[Hashable, list[Hashable]] = {}
    for item, _, label in own:
        units.setdefault(item, []).append(label)
    values, counts = statistics.table(list(units.values()))
    found: dict[str, Any] = {"judgements": len(own), "items": len(units), "judged_by_several": len(counts)}
    if not len(counts):
        return found
    numbers = all(isinstance(x, float) for x in values)
    metrics: tuple[Any, ...] = ("interval", "ordinal") if numbers else ("nominal",)
    for metric in metrics:
        value = statistics.alpha(values, counts, metric)
        low, high = statistics.bootstrap(counts, partial(statistics.alpha, values, metric=metric), resamples=resamples)
        found[f"alpha_{metric}"] = _known([value, low, high])
    return found | {"agreement": statistics.agreement(counts), "ac1": _known([statistics.ac1(counts)])[0]}


def estimated_accuracy(asked: dict[str, list[Vote]]) -> dict[Hashable, float]:
    """Return how often each annotator gives the true label, by Dawid and Skene, on the question with most judgements.

    Scores have no true class, so that ratings say nothing here, nor do items that one annotator judged alone.
    """
    from posttrain.data.feedback.dawid_skene import dawid_skene

    classes = [_shared(own) for own in asked.values() if not any(isinstance(label, float) for *_, label in own)]
    classes = [own for own in classes if own]
    return dawid_skene(max(classes, key=len)).accuracy() if classes else {}


def _shared(votes: list[Vote]) -> list[Vote]:
    """The votes on items that several annotators judged."""
    who: dict[Hashable, set[Hashable]] = {}
    for item, annotator, _ in votes:
        who.setdefault(item, set()).add(annotator)
    return [vote for vote in votes if len(who[vote[0]]) > 1]


def _known(values: Iterable[float]) -> list[float | None]:
    return [x if x == x else None for x in values]


def annotator(name: str, acts: Sequence[Act], asked: dict[str, list[Vote]]) -> dict[str, Any]:
    """Return the numbers of one annotator: shares are None where nothing is known."""
    from posttrain.data.feedback.votes import first_shown, right

    own = [act for act in acts if act.annotator == name]
    return {
        "judgements": len(own),
        "agrees_with_others": _with_others(name, asked),
        "first_shown_preferred": _share(first_shown(act) for act in own),
        "checks_passed": _share(right(act) for act in own),
        "repeats_itself": _share(_same(act, acts) for act in own if act.repeats),
        "seconds": median(times) if (times := [a.seconds for a in own if a.seconds is not None]) else None,
    }


def _with_others(name: str, asked: dict[str, list[Vote]]) -> float | None:
    """The share of pairs of this annotator and another one who say the same about an item."""
    same: list[bool] = []
    for own in asked.values():
        said: dict[Hashable, list[tuple[str, Hashable]]] = {}
        for item, who, label in own:
            said.setdefault(item, []).append((who, label))
        for labels in said.values():
            mine = [label for who, label in labels if who == name]
            same += [a == b for a in mine for who, b in labels if who != name]
    return _share(same)


def _same(act: Act, acts: Sequence[Act]) -> bool | None:
    from posttrain.data.feedback.votes import answered

    first = next((a for a in acts if a.id == act.repeats), None)
    return None if first is None else list(answered(act, act.judgement)) == list(answered(first, first.judgement))


def _share(values: Iterable[bool | None]) -> float | None:
    known = [x for x in values if x is not None]
    return sum(known) / len(known) if known else None


def _print(source: str, report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    console.print(f"{source}: {report['acts']} acts of {len(report['annotators'])} annotators", style="bold")
    parts = [("question", report["questions"]), ("annotator", report["annotators"])]
    for title, part in [*parts, *([("bias of", report["biases"])] if report["biases"] else [])]:
        table = Table(box=None, pad_edge=False)
        columns = list(dict.fromkeys(key for row in part.values() for key in row))
        for column in (title, *columns):
            table.add_column(column.replace("_", " "), overflow="fold")
        for name, row in part.items():
            table.add_row(name, *(_cell(row.get(column)) for column in columns))
        console.print(table)
    for message in report["unusable"]:
        console.print(f"unusable: {message}", style="red", markup=False)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        middle, *ends = map(_cell, value)
        return f"{middle} ({' to '.join(ends)})"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
