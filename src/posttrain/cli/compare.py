"""`posttrain compare METHOD METHOD ... --task TASK --seeds 5`: the same data, budget and seeds for every method.

Folders of runs in place of methods are compared as they are, as `posttrain show` does it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posttrain.cli.show import show
from posttrain.errors import ConfigError

if TYPE_CHECKING:
    from posttrain.evaluation.compare.grid import Comparison


def compare(
    context: typer.Context,
    methods: Annotated[
        list[str],
        typer.Argument(
            metavar="METHOD...",
            help="Methods, with settings: preference/dpo:beta=0.05,learning_rate=1e-4; or folders of runs",
            show_default=False,
        ),
    ],
    task: Annotated[
        str, typer.Option(help="Task: gold_reward, sorting, overoptimisation, human_pairs, ./mine.py")
    ] = "gold_reward",
    seeds: Annotated[int, typer.Option(help="Number of seeds, the same for every method.", min=1)] = 5,
    data: Annotated[str | None, typer.Option(help="Data file, for a task that needs one.", show_default=False)] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help="Setting of the task: steps=100")] = None,
    output: Annotated[Path, typer.Option(help="Folder that holds the runs.")] = Path("runs"),
    name: Annotated[str | None, typer.Option(help="Folder of this comparison under output.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume: run only what is missing.")] = False,
    figure: Annotated[bool, typer.Option("--figure/--no-figure", help="Draw figure.png and figure.svg.")] = True,
) -> None:
    """Train several methods on one task and compare them: a table with intervals, and a figure of reward against KL.

    Folders of runs are not trained again: their curves, numbers and the settings that differ are shown side by side.
    """
    from posttrain.errors import MissingExtraError
    from posttrain.runs.reader import means_run

    if any(map(means_run, methods)):
        show_runs(context, methods)
        return
    from posttrain.evaluation.compare import figure as drawing
    from posttrain.evaluation.compare.grid import compare as run
    from posttrain.evaluation.compare.report import write
    from posttrain.viewer.live import open_display

    if figure and not drawing.available():  # before the work, not after it
        raise MissingExtraError("the figure of a comparison (--no-figure leaves it out)", "plot")
    settings = values(setting or []) | ({"data": data} if data is not None else {})
    with open_display() as display:
        comparison = run(
            methods, task, seeds=seeds, settings=settings, output=output, name=name, resume=resume, display=display
        )
    files = [*write(comparison), *(drawing.draw(comparison) if figure else [])]
    print_table(comparison)
    typer.echo("\n".join(str(path) for path in files))


def show_runs(context: typer.Context, folders: list[str]) -> None:
    """Show runs side by side. Raises ConfigError for options that only a training has."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if options := [f"--{'set' if name == 'setting' else name}" for name in given if name != "methods"]:
        raise ConfigError(
            f"compare shows folders of runs as they are, so {' and '.join(options)} would do nothing; remove it, or "
            "name methods in place of the folders"
        )
    show([Path(folder) for folder in folders])


def values(options: list[str]) -> dict[str, Any]:
    """Return `steps=100` options as {"steps": 100}: values as YAML reads them, and 1e-4 as a number."""
    from posttrain.evaluation.compare.contender import value

    pairs = [option.partition("=") for option in options]
    if bad := [key + sign for key, sign, raw in pairs if not (key and sign and raw)]:
        raise ConfigError(f"--set {bad[0]}: write name=value, as in --set steps=100")
    return {key: value(raw) for key, _, raw in pairs}


def print_table(comparison: Comparison) -> None:
    """Print the table to the terminal."""
    from rich.console import Console
    from rich.table import Table

    from posttrain.evaluation.compare.report import CAPTION
    from posttrain.evaluation.compare.summary import apart, columns, summaries

    rows = summaries(comparison)
    shown = columns(comparison, rows, brief=True)
    table = Table(box=None, pad_edge=False)
    for number, (heading, _) in enumerate(shown):
        table.add_column(heading, style="bold" if number == 0 else None)
    for row in zip(*(cells for _, cells in shown), strict=True):
        table.add_row(*row)
    console = Console(highlight=False)
    console.print(table)
    if comparison.task.x[0] == "kl" and len(rows) > 1:
        first = rows[0].method
        console.print(f"\n{comparison.task.y[0]} minus {first}'s at equal KL:")
        console.print("\n".join(f"  {r.method}  {apart(r, first)}" for r in rows[1:]), markup=False)
    console.print(f"\n{CAPTION}\n", style="dim")
