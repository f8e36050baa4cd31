"""`posttrain data show FILE`: rows as the model sees them. `posttrain data check FILE`: a whole file in numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from posttrain.cli.agreement import agreement
from posttrain.errors import ConfigError

if TYPE_CHECKING:
    from posttrain.data.chat.encode import Encoder
    from posttrain.data.dataset import Dataset
    from posttrain.data.notices import Notices
    from posttrain.records import Record, Row

app = typer.Typer(help="Inspect data before training on it.", no_args_is_help=True)
app.command()(agreement)

File = Annotated[str, typer.Argument(metavar="FILE", help="File, folder, pattern, generator or hub id.")]
ModelName = Annotated[str, typer.Option(help="Model whose tokenizer and chat template are used.")]
KindName = Annotated[
    str | None,
    typer.Option(help="prompts, demonstrations, pairs, ratings, rankings, candidates or text; default: by columns."),
]
Size = Annotated[int | None, typer.Option(help="Number of records to read; default: all.", min=1)]
Column = Annotated[list[str] | None, typer.Option(help="Renamed column: ours=theirs, e.g. prompt=question")]
AnswerAfter = Annotated[str | None, typer.Option(help="Marker in front of the final answer, e.g. ####")]
Chat = Annotated[bool, typer.Option("--chat", help="Read plain-text prompts and answers as chat messages.")]
TrainOn = Annotated[str, typer.Option(help="Messages of the assistant that are trained: all or last.")]
MaxLength = Annotated[int | None, typer.Option(help="Maximum tokens per row; default: the model's context.", min=1)]
Template = Annotated[
    Path | None, typer.Option(help="Jinja file replacing the tokenizer's template.", exists=True, dir_okay=False)
]
Variable = Annotated[
    list[str] | None, typer.Option("--template-kwarg", help="Variable of the template, e.g. enable_thinking=false")
]


@app.command()
def show(
    source: File,
    model: ModelName = "smollm2",
    kind: KindName = None,
    count: Annotated[int, typer.Option(help="Number of records to show.", min=0)] = 3,
    tokens: Annotated[bool, typer.Option("--tokens", help="Show a line for each token.")] = False,
    size: Size = None,
    column: Column = None,
    answer_after: AnswerAfter = None,
    chat: Chat = False,
    train_on: TrainOn = "all",
    drop_invalid: Annotated[bool, typer.Option("--drop-invalid", help="Skip rows that cannot be used.")] = False,
    truncate: Annotated[str, typer.Option(help="Rows that are too long: error, left, right or drop.")] = "error",
    max_length: MaxLength = None,
    chat_template: Template = None,
    variable: Variable = None,
) -> None:
    """Show rows of the file, and as the model sees them, with trained tokens marked. Errors of all rows show too."""
    from rich.console import Console

    from posttrain.data.chat.show import Example
    from posttrain.data.chat.show import show as shown
    from posttrain.data.encoding import encode_all

    request = _Request(source, kind, size, renames(column or []), answer_after, chat, train_on)
    encoder = _encoder(model, max_length, chat_template, variable)
    data, raw, others = request.read(encoder, invalid="drop" if drop_invalid else "stop", truncate=truncate)
    encoded = encode_all(data, lambda record: _rows(encoder, record, request.kind, data.truncate))
    for notices in (others, encoder.notices):
        notices.warn(source)
    examples = [Example(r.where, raw.get(r.where, {}), encoded.encoded[r.id]) for r in encoded.data]
    Console(highlight=False).print(shown(examples, encoder.tokenizer, count, tokens=tokens))


@app.command()
def check(
    source: File,
    model: ModelName = "smollm2",
    kind: KindName = None,
    size: Size = None,
    column: Column = None,
    answer_after: AnswerAfter = None,
    chat: Chat = False,
    train_on: TrainOn = "all",
    max_length: MaxLength = None,
    chat_template: Template = None,
    variable: Variable = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Report on a whole file: counts, lengths, truncation, duplicates, what cannot be used and what is ignored.

    Exits with 3 if a row cannot be used.
    """
    import json

    from posttrain.cli.data_report import print_report, unlogged
    from posttrain.data.encoding import encode_all
    from posttrain.data.report import report
    from posttrain.data.unusable import UnusableError
    from posttrain.errors import DataError

    request = _Request(source, kind, size, renames(column or []), answer_after, chat, train_on)
    encoder = _encoder(model, None, chat_template, variable)
    limit = max_length or encoder.max_length
    encoder.max_length = 2**62  # so that longer rows are counted
    rows: dict[int, list[Row]] = {}
    data: Dataset | None = None
    unusable: list[str] = []
    notices: list[str] = []
    with unlogged("notices", "dataset", "encoding"):  # the report holds what they say
        try:
            data, _, others = request.read(encoder, invalid="drop", truncate="error")
            unusable, notices = list(data.dropped), [*data.notices.lines(), *others.lines()]
            encoded = encode_all(data, lambda record: _rows(encoder, record, request.kind, "error"))
            data, rows = encoded.data, encoded.encoded
            unusable += encoded.dropped
        except UnusableError as error:  # nothing can be used
            data, unusable = None, [*unusable, *error.messages]
    done = report(
        request.kind, data, rows, max_length=limit, unusable=unusable, notices=[*notices, *encoder.notices.lines()]
    )
    if as_json:
        typer.echo(json.dumps(done.as_dict(), indent=1, ensure_ascii=False))
    else:
        print_report(source, done)
    if unusable:
        raise typer.Exit(DataError.exit_code)


def renames(options: Collection[str]) -> dict[str, str]:
    """Return `prompt=question` options as {our column: column of the file}."""
    return _pairs(options, "--column", "ours=theirs, as in --column prompt=question")


def _pairs(options: Collection[str], name: str, form: str) -> dict[str, str]:
    pairs = [option.partition("=") for option in options]
    if bad := [key + sign for key, sign, value in pairs if not (key and sign and value)]:
        raise ConfigError(f"{name} {bad[0]}: write {form}")
    return {key: value for key, _, value in pairs}


@dataclass
class _Request:
    """What the options say about the data. `kind` is guessed from the first row where no option gives it."""

    source: str
    named: str | None
    size: int | None
    columns: Mapping[str, str]
    answer_after: str | None
    chat: bool
    train_on: str

    def __post_init__(self) -> None:
        from posttrain.core.kinds import guess

        self.kind = self.named or guess(columns_of(self.source) | self.columns.keys()).name

    def read(self, encoder: Encoder, **how: Any) -> tuple[Dataset, dict[str, Mapping[str, Any]], Notices]:
        """Return the records, the rows of the file by their place, and what a run would notice about them."""
        from itertools import islice

        from posttrain.data.dataset import from_rows
        from posttrain.data.notices import Notices
        from posttrain.data.plain_text import note_plain_text
        from posttrain.data.sources import is_bundled, rows
        from posttrain.data.unread import note_unread

        every = list(islice(rows(self.source, self.kind, 0, self.size), self.size))
        data = from_rows(
            every,
            self.kind,
            columns=self.columns,
            answer_after=self.answer_after,
            chat=self.chat,
            train_on=self.train_on,  # type: ignore[arg-type]
            name=self.source,
            **how,
        )
        others = Notices()
        note_unread(data, None, self.columns, others)
        if encoder.template.source and not self.chat and not is_bundled(self.source):
            note_plain_text(data, others)
        return data, {where: columns for where, columns, *_ in every}, others


def columns_of(source: str) -> set[str]:
    """Return the columns of the first row of a file; none for a generator, whose rows depend on the kind."""
    from posttrain.data.bundled import names
    from posttrain.data.feedback.read import columns_of as fields_of
    from posttrain.data.sources import parse_spec, rows

    if not Path(source).exists() and parse_spec(source)[0] in names():
        return set()
    first = next(iter(rows(source, "prompts", 0, 1)), None)
    return fields_of(first[1]) if first else set()


def _encoder(
    model: str, max_length: int | None, chat_template: Path | None, variables: Collection[str] | None
) -> Encoder:
    from posttrain.config.yaml_ import parse_value
    from posttrain.data.chat.encode import Encoder
    from posttrain.models.loading.tokenizer import load_reader

    reader = load_reader(model)
    template = chat_template.read_text(encoding="utf-8") if chat_template else None
    named = _pairs(variables or [], "--template-kwarg", "name=value, as in --template-kwarg enable_thinking=false")
    settings = {name: parse_value(value, f"--template-kwarg {name}") for name, value in named.items()}
    limit = max_length or reader.context
    return Encoder(reader.tokenizer, limit, template, stop=reader.stop, template_settings=settings)


def _rows(encoder: Encoder, record: Record, kind: str, truncate: Any) -> list[Row]:
    from posttrain.records import Prompt, Row

    if not isinstance(record, Prompt):
        return encoder.rows(record, kind, truncate=truncate)
    tokens = encoder.prompt(record, truncate=truncate)
    nothing = (False,) * len(tokens)
    return [Row(record.id, tokens, nothing, nothing)]
