"""`data`: where records come from."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from posttrain.config.section import Pathed
from posttrain.config.types import ColumnName, Count, FileColumn, Flag

MAIN = "main"  # the stream that `data` fills when it names none


class Data(Pathed):
    """A source of records, or a mapping of sources, one for each stream of the method. The short form is its path."""

    noun: ClassVar[str] = "data source"

    path: str = Field(min_length=1)
    """File (JSONL, JSON, CSV, TSV, Parquet, text), hub id, or bundled generator such as arithmetic:level=2."""
    columns: dict[ColumnName, FileColumn] = Field(default_factory=dict)
    """Renamed columns, such as {prompt: question}; columns that bear our names need no entry."""
    answer_after: str | None = None
    """Marker in front of the final answer, such as '####' in GSM8K; null takes the whole text as the answer."""
    size: Count | None = None
    """Maximum number of records, taken from the start; null reads all."""
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
