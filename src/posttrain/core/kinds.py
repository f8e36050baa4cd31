"""Kinds of records. A kind is a file of data/kinds/ that declares everything about it: `pairs` is data/kinds/pairs.py.

The file defines KIND: the class of its records, how they are read from the rows of a file, how they are encoded into
rows of tokens, and which tensors these bring. There is no other list of kinds.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from posttrain.core.folder import file_names
from posttrain.core.rate import COMPARISON, Rate
from posttrain.errors import ConfigError, suggestion

PACKAGE = "posttrain.data.kinds"
ROW_TENSORS = frozenset({"tokens", "rows", "written", "row_id"})  # tensors that every row brings


@dataclass(frozen=True)
class Kind:
    """A kind of record that a stream may read.

    `read(cells, identity, where)` turns the columns of one row of a file into a record.
    `encode(encoder, record, wanted)` turns a record into rows of tokens. `columns` names the columns that it is read
    from, for messages. A file with one of the columns `marks` is of this kind.
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
    rate: Rate = COMPARISON  # default learning rate of a policy that learns from them
    readers: str = "other methods"  # what is trained on it, for messages

    @property
    def tensors(self) -> frozenset[str]:
        """Names of the tensors that all its batches bring, whatever the columns of the data."""
        return ROW_TENSORS | self.brings


@functools.cache
def kind(name: str) -> Kind:
    """Return the kind of a name. Raises ConfigError, with a suggestion, for a name without a file."""
    if name not in kinds():
        raise ConfigError(f"unknown kind of data {name!r}{suggestion(name, kinds())}; known: {', '.join(kinds())}")
    declared: Kind = importlib.import_module(f"{PACKAGE}.{name}").KIND
    return declared


def kinds() -> tuple[str, ...]:
    """List the names of all kinds."""
    return file_names(importlib.import_module(PACKAGE).__path__)


def kind_of(record: Any) -> Kind:
    """Return the kind of a record; of two kinds with the same record class, the first by name."""
    return next(k for k in map(kind, kinds()) if isinstance(record, k.record))


def guess(columns: Collection[str]) -> Kind:
    """Guess the kind of rows with these columns: the most specific kind that has one of them among its `marks`."""
    present = set(columns)
    first = ("candidates", "steps", "decisions", "pairs", "rankings", "ratings", "demonstrations", "prompts")
    order = [*first, *(k for k in kinds() if k not in (*first, "text")), "text"]
    return next((k for k in map(kind, order) if k.marks & present), kind("prompts"))
