"""`posttrain data show FILE`: rows as the model sees them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from posttrain.errors import ConfigError

if TYPE_CHECKING:
    from posttrain.data.chat.encode import Encoder
    from posttrain.records import Record, Row

app = typer.Typer(help="Inspect data before training on it.", no_args_is_help=True)


@app.callback()
def _data() -> None:
    """Keep `show` a command of its own: an app with one command would run it without its name."""


@app.command()
def show(
    source: Annotated[str, typer.Argument(metavar="FILE", help="File, generator or hub id.", show_default=False)],
    model: Annotated[str, typer.Option(help="Model whose tokenizer and chat template are used.")] = "smollm2",
    kind: Annotated[
        str | None,
        typer.Option(help="prompts, demonstrations, pairs, ratings, rankings or text; default: by columns."),
    ] = None,
    count: Annotated[int, typer.Option(help="Number of rows to show.", min=0)] = 3,
    size: Annotated[int | None, typer.Option(help="Number of records to read; default: all.", min=1)] = None,
    column: Annotated[list[str] | None, typer.Option(help="Renamed column: ours=theirs, e.g. prompt=question")] = None,
    answer_after: Annotated[str | None, typer.Option(help="Marker in front of the final answer, e.g. ####")] = None,
    drop_invalid: Annotated[bool, typer.Option("--drop-invalid", help="Skip rows that cannot be used.")] = False,
    max_length: Annotated[
        int | None, typer.Option(help="Maximum tokens per row; default: the model's context.", min=1)
    ] = None,
    chat_template: Annotated[
        Path | None,
        typer.Option(help="Jinja file replacing the tokenizer's template.", exists=True, dir_okay=False),
    ] = None,
) -> None:
    """Show rows as the model sees them, with trained tokens marked. All records are encoded, so errors show too."""
    from rich.console import Console

    from posttrain.core.kinds import guess
    from posttrain.data.chat import show as view
    from posttrain.data.chat.encode import Encoder
    from posttrain.data.dataset import Invalid, load
    from posttrain.models.loading.load import load as load_model

    columns = renames(column or [])
    kind = kind or guess(columns_of(source) | columns.keys()).name
    invalid: Invalid = "drop" if drop_invalid else "stop"
    records = load(source, kind, columns=columns, answer_after=answer_after, size=size, invalid=invalid)
    loaded = load_model(model)
    template = chat_template.read_text(encoding="utf-8") if chat_template else None
    encoder = Encoder(loaded.tokenizer, max_length or loaded.network.context, template)
    rows = [row for record in records for row in _rows(encoder, record, kind)]
    Console(highlight=False).print(view.show(rows, loaded.tokenizer, count))


def renames(options: Collection[str]) -> dict[str, str]:
    """Return `prompt=question` options as {our column: column of the file}."""
    pairs = [option.partition("=") for option in options]
    if bad := [ours + sign for ours, sign, theirs in pairs if not (ours and sign and theirs)]:
        raise ConfigError(f"--column {bad[0]}: write ours=theirs, as in --column prompt=question")
    return {ours: theirs for ours, _, theirs in pairs}


def columns_of(source: str) -> set[str]:
    """Return the columns of the first row of a file, or none if the source is no file."""
    from posttrain.data.readers.files import read

    first = next(read(Path(source)), None) if Path(source).exists() else None
    return set(first[1]) if first else set()


def _rows(encoder: Encoder, record: Record, kind: str) -> list[Row]:
    from posttrain.records import Prompt, Row

    if not isinstance(record, Prompt):
        return encoder.rows(record, kind)
    tokens = encoder.prompt(record)
    nothing = (False,) * len(tokens)
    return [Row(record.id, tokens, nothing, nothing)]
