"""Kinds of records. A kind is a file of data/kinds/ that declares everything about it: `pairs` is data/kinds/pairs.py.

The file defines KIND: the class of its records, how a row of a file becomes one, which rows of tokens it becomes, and
which tensors these bring. Nothing else lists the kinds.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posttrain.errors import ConfigError, suggestion

PACKAGE = "posttrain.data.kinds"
ROW_TENSORS = frozenset({"tokens", "rows", "written", "row_id"})  # what every row brings


@dataclass(frozen=True)
class Kind:
    """What a stream may read.

    `read(cells, identity, where)` makes a record of the columns of a row, `encode(encoder, record, wanted)` its rows.
    `columns` says which columns it is read from, for messages; a file with one of the columns `marks` is of this kind.
    """

    name: str
    record: type
    read: Callable[..., Any]
    encode: Callable[..., Any]
    columns: str
    marks: frozenset[str]
    brings: frozenset[str] = frozenset()  # tensors besides ROW_TENSORS
    paired: bool = False  # rows alternate preferred, rejected
    sampled: bool = False  # the rows are episodes that models write; `encode` gives none
    sides: tuple[str, ...] = ("",)  # prefixes of columns that belong to one of several answers: "chosen_"

    @property
    def tensors(self) -> frozenset[str]:
        """All tensors that its batches bring, whatever the columns."""
        return ROW_TENSORS | self.brings


@functools.cache
def kind(name: str) -> Kind:
    """The kind of a name. ConfigError, with a suggestion, for one that has no file."""
    if name not in kinds():
        raise ConfigError(f"unknown kind of data {name!r}{suggestion(name, kinds())}; known: {', '.join(kinds())}")
    found: Kind = importlib.import_module(f"{PACKAGE}.{name}").KIND
    return found


def kinds() -> tuple[str, ...]:
    """Names of all kinds."""
    folders = importlib.import_module(PACKAGE).__path__
    return tuple(sorted(f.stem for folder in folders for f in Path(folder).glob("*.py") if f.stem != "__init__"))


def kind_of(record: Any) -> Kind:
    """The kind that a record is of; of two kinds with one class, the first by name."""
    return next(k for k in map(kind, kinds()) if isinstance(record, k.record))


def guess(columns: Collection[str]) -> Kind:
    """The kind that rows with these columns most likely are: the one whose marks they have, the most telling first."""
    present = set(columns)
    telling = ("pairs", "rankings", "ratings", "demonstrations", "prompts")
    order = [*telling, *(k for k in kinds() if k not in (*telling, "text")), "text"]
    return next((k for k in map(kind, order) if k.marks & present), kind("prompts"))
