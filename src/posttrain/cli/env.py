"""`posttrain env list`, `show ENV` and `test ENV`: environments, their tools as a model sees them, and their trials."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from posttrain.environments.environment import Environment
    from posttrain.environments.trial.checks import Check
    from posttrain.records import Prompt

app = typer.Typer(help="Look at environments, and try them.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="ENV", help="Environment: a bundled name, or ./file.py.")]
Settings = Annotated[list[str] | None, typer.Argument(help="Settings of the environment: key=value.")]
Source = Annotated[str, typer.Option("--data", help="Prompts; by default the tasks that the environment makes.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the environments that ship."""
    from posttrain.environments import lookup

    docs = {name: _first_line(Path(lookup.__file__).parent / "bundled" / f"{name}.py") for name in lookup.bundled()}
    if as_json:
        typer.echo(json.dumps(docs, indent=1, ensure_ascii=False))
        return
    width = max(map(len, docs), default=0) + 2
    for name, says in docs.items():
        typer.echo(f"{name:{width}}{says}")


@app.command()
def show(
    environment: Name,
    settings: Settings = None,
    data: Source = "environment",
    model: Annotated[str, typer.Option(help="Model whose chat template shows the beginning of an episode.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show an environment: what it is, its settings, and its tools as the model will see them."""
    from posttrain.catalogue.signature import Signature
    from posttrain.environments.hosts import Hosts
    from posttrain.environments.trial.checks import played_by
    from posttrain.errors import RewardError

    made, given = _loaded(environment, settings or ())
    (prompt,) = _prompts(made, environment, data, 1)
    hosts = Hosts(environment, given, workers=1)
    try:
        played = played_by(hosts)(prompt, 0, ())
    finally:
        hosts.close()
    if played.opening is None:
        raise RewardError(f"{played.fault.message if played.fault else environment}; try `posttrain env test`")
    known = Signature(made.__init__, own=("self",)).settings
    docs = Signature(made).settings
    lines = {name: {"default": p.default, "doc": docs[name].doc if name in docs else ""} for name, p in known.items()}
    text = made.__doc__ or ""
    tools, messages = list(played.opening.tools), list(played.opening.messages)
    if as_json:
        whole = {"doc": text, "settings": lines, "tools": tools, "messages": messages}
        typer.echo(json.dumps(whole, indent=1, ensure_ascii=False, default=str))
        return
    typer.echo(f"{_about(made)}\n\nsettings:{'' if lines else ' none'}")
    for name, line in lines.items():
        typer.echo(f"  {name} ({line['default']!r}): {line['doc']}")
    typer.echo(f"\ntools:{'' if tools else ' none'}")
    for tool in tools:
        typer.echo(json.dumps(tool, indent=1, ensure_ascii=False))
    if model:
        typer.echo(f"\nwhat {model} reads:\n{_as_read(model, messages, tools, prompt.arguments)}")
        return
    typer.echo("\nan episode begins with:")
    for message in messages:
        typer.echo(f"{message['role']}: {message.get('content', '')}")


@app.command("test")
def try_(
    environment: Name,
    settings: Settings = None,
    data: Source = "environment",
    count: Annotated[int, typer.Option(help="Number of prompts to play.", min=1)] = 2,
    seed: Annotated[int, typer.Option(help="Random seed of the actions.")] = 0,
    timeout: Annotated[float, typer.Option(help="Seconds for one step.", min=0.1)] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Try an environment with good and hostile actions, twice each. Exits with 1 if something does not hold."""
    from posttrain.environments.hosts import Hosts
    from posttrain.environments.trial.checks import checks, played_by

    made, given = _loaded(environment, settings or ())
    prompts = _prompts(made, environment, data, count)
    hosts = Hosts(environment, given, workers=1, timeout=timeout)
    try:
        found = checks(made, prompts, played_by(hosts), seed)
    finally:
        hosts.close()
    typer.echo(json.dumps(list(map(asdict, found)), indent=1, ensure_ascii=False) if as_json else _table(found))
    if any(check.holds is False for check in found):
        raise typer.Exit(1)


def _table(found: Sequence[Check]) -> str:
    words = {True: "ok", False: "FAILED", None: "-"}
    lines = [f"{words[c.holds]:8}{c.name:12}{c.found}" + (f"\n{'':20}{c.remedy}" if c.remedy else "") for c in found]
    return "\n".join(lines)


def _loaded(environment: str, settings: Sequence[str]) -> tuple[type[Environment], dict[str, Any]]:
    """Return the class and its settings. Raises ConfigError for those that it does not take."""
    from posttrain.config.yaml_ import parse_value
    from posttrain.environments import lookup
    from posttrain.errors import ConfigError

    made = lookup.load(environment)
    given: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"{setting!r} is no setting of the environment; write name=value")
        given[name] = parse_value(value, f"setting {name}")
    lookup.check(made, given, environment)
    return made, given


def _prompts(made: type[Environment], environment: str, source: str, count: int) -> Sequence[Prompt]:
    """Return the first prompts of a file, or of the tasks that the environment makes."""
    from posttrain.data.dataset import from_rows, load
    from posttrain.environments.tasks import seed_of, tasks
    from posttrain.records import Prompt

    seed = seed_of(source)
    if seed is None:
        found = load(source, "prompts", size=count)
    else:
        found = from_rows(tasks(made, environment, count, seed), "prompts", name=environment)
    return [record for record in found if isinstance(record, Prompt)]


def _as_read(model: str, messages: Sequence[Any], tools: Sequence[Any], arguments: Mapping[str, Any]) -> str:
    """Return the text that a model reads at the beginning of an episode, with its own chat template."""
    from posttrain.data.chat.encode import Encoder
    from posttrain.environments.tools.described import with_tools
    from posttrain.environments.tools.find import writing_of
    from posttrain.models.loading.tokenizer import load_reader

    reader = load_reader(model)
    encoder = Encoder(reader.tokenizer, reader.context, stop=reader.stop)
    try:
        writing = writing_of(encoder.template)
        others = {name: value for name, value in arguments.items() if name != "tools"}
        given = {"tools": list(tools)} if tools and writing.tools else {}
        text = encoder.template.question(with_tools(writing, messages, tools), {**others, **given})
        for line in encoder.notices.lines():
            typer.echo(f"notice: {line}", err=True)
        return encoder.control.shown(text)
    finally:
        encoder.close()


def _about(made: type[Environment]) -> str:
    """Return the docstring of the file of an environment, or of the class where the file has none."""
    import inspect
    import sys

    return inspect.cleandoc(sys.modules[made.__module__].__doc__ or made.__doc__ or made.__name__)


def _first_line(file: Path) -> str:
    """Return the first line of a file's docstring, without importing the file."""
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]
