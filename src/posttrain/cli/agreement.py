"""`posttrain data agreement FILE`: how far the annotators of a feedback file agree, and how reliable each is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from posttrain.errors import DataError


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
    from posttrain.studio.annotation.quality import annotator, estimated_accuracy, question

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
