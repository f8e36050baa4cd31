"""`posttrain`: the commands, and how errors reach the shell."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated

import typer

from posttrain.cli import data, data_pairs, env
from posttrain.cli.claim import claim
from posttrain.cli.compare import compare
from posttrain.cli.convert import convert
from posttrain.cli.demo import demo
from posttrain.cli.doctor import doctor
from posttrain.cli.evaluate import evaluate
from posttrain.cli.export import export
from posttrain.cli.keys import keys
from posttrain.cli.label import label
from posttrain.cli.merge import merge
from posttrain.cli.methods import explain, methods
from posttrain.cli.model import sample
from posttrain.cli.optimise_prompt import optimise_prompt
from posttrain.cli.papers import papers
from posttrain.cli.plan import plan
from posttrain.cli.rollout import rollout
from posttrain.cli.show import show
from posttrain.cli.steer import steer
from posttrain.cli.studio import studio
from posttrain.cli.suites import suites
from posttrain.cli.train import TrainCommand, train
from posttrain.errors import PosttrainError, from_system_error

HELP = """Reinforcement learning for language models, end to end.

A run file describes the training: [bold]posttrain train run.yaml train.steps=50[/bold]"""

TRAIN, INSPECT, SETUP = "Train", "Inspect", "Set up"  # the panels of --help
OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}  # for a command that accepts key=value

app = typer.Typer(
    name="posttrain",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(rich_help_panel=TRAIN)(demo)
app.command(rich_help_panel=TRAIN, context_settings=OVERRIDES, cls=TrainCommand)(train)
app.command("optimise-prompt", rich_help_panel=TRAIN, context_settings=OVERRIDES, cls=TrainCommand)(optimise_prompt)
app.command(rich_help_panel=TRAIN)(compare)
app.command(rich_help_panel=TRAIN)(claim)
app.command(rich_help_panel=INSPECT)(show)
app.command(rich_help_panel=INSPECT)(studio)
app.command(rich_help_panel=INSPECT)(methods)
app.command(rich_help_panel=INSPECT)(papers)
app.command(rich_help_panel=INSPECT)(explain)
app.command(rich_help_panel=INSPECT, context_settings=OVERRIDES)(plan)
app.command(rich_help_panel=INSPECT)(keys)
data_pairs.add_to(data.app)
app.command(rich_help_panel=INSPECT)(label)
app.add_typer(data.app, name="data", rich_help_panel=INSPECT)
app.add_typer(env.app, name="env", rich_help_panel=INSPECT)
app.command(rich_help_panel=INSPECT)(sample)
app.command("eval", rich_help_panel=INSPECT)(evaluate)
app.command(rich_help_panel=INSPECT)(suites)
app.command(rich_help_panel=INSPECT, context_settings=OVERRIDES)(rollout)
app.command(rich_help_panel=INSPECT)(steer)
app.command(rich_help_panel=SETUP)(convert)
app.command(rich_help_panel=SETUP)(export)
app.command(rich_help_panel=SETUP)(merge)
app.command(rich_help_panel=SETUP)(doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"posttrain {version()}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def version() -> str:
    """Return the version of the installed package."""
    try:
        return metadata.version("posttrain")
    except metadata.PackageNotFoundError:
        return "unknown (not installed)"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. A user-facing error is printed as one message and sets the exit code of its class."""
    _tolerate_any_terminal()
    try:
        try:
            typer.main.get_command(app)(arguments, prog_name="posttrain")
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader has gone, as in `posttrain methods | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        known = error if isinstance(error, PosttrainError) else from_system_error(error)
        if known is None:
            raise
        if os.environ.get("POSTTRAIN_TRACEBACK") == "1":
            traceback.print_exc()
        print_error("\n".join([str(known), *getattr(error, "__notes__", ())]))
        sys.exit(known.exit_code)


def _tolerate_any_terminal() -> None:
    """Replace characters that a stream cannot show, and closed streams: neither is a reason to end a run."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 -- open as long as we run
        elif isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def print_error(message: str) -> None:
    """Write `error: ...` to stderr, red on a terminal."""
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True, soft_wrap=True).print(Text(f"error: {message}", style="red"))
