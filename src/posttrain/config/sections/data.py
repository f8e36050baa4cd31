"""`data`: where records come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from posttrain.config.section import Pathed, Section
from posttrain.config.types import ColumnName, Count, FileColumns, Flag, NotNegative, Number, Positive

MAIN = "main"  # the stream that `data` fills when it names none
TASKS = "environment"  # the source that the environment of the run makes


class Feedback(Section):
    """How the acts of a feedback file become records."""

    attribute: str = ""
    """What was judged, such as safety: of preferences, rankings and ratings only those about it; empty reads those
    about the answers as a whole."""
    labels: Literal["each", "majority", "dawid_skene", "checked"] = "each"
    """Whether each judgement is a record, or the judgements of several annotators about the same answers become one: by
    majority, by how reliable each of them proves to be (dawid_skene), or by weights from items whose right judgement is
    known (checked)."""
    gap: NotNegative = 1.0
    """Least difference of two ratings by one annotator that makes a pair; 0 to the length of the scale."""


class Source(Pathed):
    """An entry of `mix`. The short form is its path."""

    noun: ClassVar[str] = "source"

    path: str = Field(min_length=1)
    """As `path` of the data."""
    weight: Positive | None = None
    """Share of the records that come from this source, relative to the others; null, for all, reads every record."""
    size: Count | None = None
    """Maximum number of records of this source, taken from the start; null takes `size` of the data."""
    columns: dict[ColumnName, FileColumns] | None = None
    """Renamed columns of this source; null takes `columns` of the data."""


class Data(Pathed):
    """A source of records, or a mapping of sources, one for each stream of the method.

    The short form is its path, or a list of paths for `mix`.
    """

    noun: ClassVar[str] = "data source"

    path: str = ""
    """File (JSONL, JSON, CSV, TSV, Parquet, Arrow, text), pattern (shards/*.jsonl), folder, hub id, bundled generator
    such as arithmetic:level=2, or `environment` for the tasks that the run's environment makes (environment:seed=1 for
    others)."""
    mix: tuple[Source, ...] = ()
    """Several sources instead of `path`: all records of each, or with `weight` a mixture, whose epoch ends when one of
    them is exhausted; a larger source continues from there in the next epoch."""
    order: str = Field(default="shuffled", min_length=1)
    """Order of the records in an epoch: shuffled, file (as they are written), or the name of a column of numbers, the
    smallest first (a curriculum)."""
    columns: dict[ColumnName, FileColumns] = Field(default_factory=dict)
    """Renamed columns, such as {prompt: question, answer: reward_model.ground_truth}; a list of names makes one column
    of several; columns that bear our names need no entry."""
    answer_after: str | None = None
    """Marker in front of the final answer, such as '####' in GSM8K; null takes the whole text as the answer."""
    size: Count | None = None
    """Maximum number of records, taken from the start; null reads all."""
    filter: tuple[str, ...] = ()
    """Filters whose prompts are left out and counted: multiple_choice, multi_part, yes_no, true_false, proof, link,
    not_english, no_answer."""
    stream: Flag = False
    """Whether a file or hub dataset larger than memory is read during the training, a window of rows at a time; needs
    train.steps."""
    window: Count | None = None
    """Rows of a streamed source that are held and shuffled at a time, 1000 to 100000; a batch never spans two windows,
    and null takes 10000."""
    keep: dict[ColumnName, tuple[Number, Number]] = Field(default_factory=dict)
    """Records to keep, by numbers in their columns, as {solve_rate: [0.2, 0.8]} with both ends; the others are left out
    and counted."""
    feedback: Feedback | None = None
    """How a feedback file is read; null reads every judgement about the answers as a whole."""
    system: str = ""
    """System prompt that all prompts of the source are read under (in plain text, as their first lines), or a .txt or
    .md file that holds it, such as artefacts/prompt.txt of a search for one; empty leaves them as they are."""
    chat: Flag = False
    """Whether plain-text prompts and answers become chat messages, as an instruct model expects."""
    train_on: Literal["all", "last"] = "all"
    """Which messages of the assistant are trained: all, or last, only the last of each conversation. A message with
    `weight: 0` or `train: false` never is."""
    invalid: Literal["stop", "drop"] = "stop"
    """What happens at a row that cannot be used: stop ends the run, drop skips the row and lists it in run.json."""
    truncate: Literal["error", "left", "right", "drop"] = "error"
    """What happens to a row longer than max_length: error ends the run, left and right cut off its beginning or its
    end, drop leaves it out; a prompt to be answered is cut by left only."""

    @classmethod
    def expand(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return {"mix": value}
        if isinstance(value, Mapping) and isinstance(value.get("path"), list | tuple):
            return {**{k: v for k, v in value.items() if k != "path"}, "mix": value["path"]}
        return super().expand(value)

    @model_validator(mode="after")
    def _one_form(self) -> Data:
        if bool(self.path) == bool(self.mix):
            raise ValueError("give either path, one source, or mix, a list of them")
        if len({source.weight is None for source in self.mix}) > 1:
            raise ValueError("some sources of mix have a weight and others none; give one to all of them or to none")
        if self.order == "file" and any(source.weight for source in self.mix):
            raise ValueError(
                "sources with weights are taken in turn, so that there is no order of the file; remove order"
            )
        if empty := next((c for c, (low, high) in self.keep.items() if low > high), None):
            raise ValueError(f"keep: {empty} is a range from the lower number to the higher one")
        self._check_stream()
        return self

    def _check_stream(self) -> None:
        if self.window and not self.stream:
            raise ValueError("window has an effect only on a source that is streamed; add stream: true, or remove it")
        if self.stream and self.filter:
            raise ValueError("filters count what they leave out of all records, and a streamed source is never held")
        if self.stream and self.mix:
            raise ValueError("several sources cannot be streamed as a mixture; give one path, such as shards/*.jsonl")
        if self.stream and self.order not in ("shuffled", "file"):
            raise ValueError(
                f"order: {self.order} sorts all records, and a streamed source is never held as a whole; sort the file "
                "and set order: file"
            )

    @property
    def name(self) -> str:
        """The path, or those of the mixed sources."""
        return self.path or " + ".join(source.path for source in self.mix)
