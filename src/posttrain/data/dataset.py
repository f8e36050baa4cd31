"""Records of one kind in a fixed order, with a fingerprint. They are loaded from a file, a generator or the hub."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal, overload

from posttrain.core import kinds
from posttrain.data import bundled
from posttrain.data.chat.length import Truncate
from posttrain.data.columns import TrainOn, record
from posttrain.data.notices import Notices
from posttrain.data.readers.arrow_values import arrow_row
from posttrain.data.readers.files import READERS, read, suffix_of
from posttrain.data.readers.hub import SETTINGS, hub_rows
from posttrain.data.unread import note_unread
from posttrain.errors import ConfigError, DataError, suggestion
from posttrain.records import Record
from posttrain.seeds import seed_for

log = logging.getLogger(__name__)

Invalid = Literal["stop", "drop"]  # what to do about unusable rows
Reads = Callable[[str], bool]  # whether something reads a column of this name
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, eq=False)
class Dataset(Sequence[Record]):
    """Records, and a name for messages. `from_rows` makes a dataset of dictionaries, `load` of a file.

    `dropped`: the messages of the unusable rows that were left out, each with its place and what is wrong. `invalid`
    and `truncate`: what happens to records that cannot be encoded, and to those that are too long. `notices`: what else
    the user should know about the rows.
    """

    records: tuple[Record, ...]
    name: str = "rows"
    dropped: tuple[str, ...] = ()
    invalid: Invalid = "stop"
    truncate: Truncate = "error"
    notices: Notices = field(default_factory=Notices)
    _order: dict[tuple[int, int], list[int]] = field(default_factory=dict, repr=False)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        return self.records[index]

    def __len__(self) -> int:
        return len(self.records)

    def only(self, ids: Collection[int]) -> Dataset:
        """Return the dataset of the records with these ids."""
        return replace(self, records=tuple(r for r in self.records if r.id in ids), _order={})

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content, sixteen hexadecimal digits: the same wherever the records were read from."""
        digest = hashlib.sha256()
        for r in self.records:
            values = {**asdict(r), "where": None}
            if not r.arguments:
                del values["arguments"]
            digest.update(json.dumps([type(r).__name__, values], sort_keys=True, default=str).encode())
        return digest.hexdigest()[:16]

    def order(self, epoch: int, seed: int) -> Sequence[int]:
        """Return a permutation of the record indices: each record is placed by its id, the epoch and the seed alone."""
        key = (epoch, seed)
        if key not in self._order:
            self._order.clear()  # one epoch is in use at a time
            ranks = [seed_for(seed, "order", epoch, r.id) for r in self.records]
            self._order[key] = sorted(range(len(self)), key=ranks.__getitem__)
        return self._order[key]


def load(
    spec: str,
    kind: str,
    *,
    columns: Mapping[str, str] | None = None,
    answer_after: str | None = None,
    seed: int = 0,
    size: int | None = None,
    chat: bool = False,
    train_on: TrainOn = "all",
    invalid: Invalid = "stop",
    truncate: Truncate = "error",
    reads: Reads | None = None,
) -> Dataset:
    """Load records of a kind ("prompts", "pairs", ...) from a file, a bundled generator or a dataset on the hub.

    `spec`: "train.jsonl" | "arithmetic:level=2,split=test" | "openai/gsm8k:config=main,split=train". `columns`,
    `answer_after`, `chat`, `train_on`: as in data.columns.record. `size`: the maximum number of rows. `seed`: of a
    generator. `invalid`, `truncate`, `reads`: as in from_rows.
    """
    kinds.kind(kind)
    rows = islice(_rows(spec, kind, seed, size), size)
    how: dict[str, Any] = {"columns": columns, "answer_after": answer_after, "chat": chat, "train_on": train_on}
    return from_rows(rows, kind, **how, name=spec, invalid=invalid, truncate=truncate, reads=reads)


def from_rows(
    rows: Iterable[Mapping[str, Any] | tuple[str, Mapping[str, Any]]],
    kind: str,
    *,
    columns: Mapping[str, str] | None = None,
    answer_after: str | None = None,
    chat: bool = False,
    train_on: TrainOn = "all",
    name: str = "rows",
    invalid: Invalid = "stop",
    truncate: Truncate = "error",
    reads: Reads | None = None,
) -> Dataset:
    """Make a dataset of dictionaries, or of (where, dictionary). Rows with the same id must be equal; one is kept.

    `rows` may be a `datasets.Dataset`. Unusable rows: with invalid="stop" a DataError names the first and counts the
    others; with "drop" they are left out, counted in a warning and listed in `Dataset.dropped`. `truncate`: what is
    done to rows that are too long when they are encoded; see data/chat/length.py. `reads`: whether something reads a
    column of this name; columns that nothing reads are named in a notice. None: not known.
    """
    notices = Notices()
    how: dict[str, Any] = {"columns": columns, "answer_after": answer_after, "chat": chat, "train_on": train_on}
    records, errors = _read(
        rows, lambda values, index, where: record(values, kind, index, where, **how, notices=notices)
    )
    if errors and (invalid == "stop" or not records):
        raise DataError(_unusable(errors, usable=len(records)))
    if not records:
        raise DataError(f"{name}: 0 examples")
    if errors:
        count = len(records) + len(errors)
        log.warning("%s: dropped %d of %d rows: %s", name, len(errors), count, "; ".join(map(str, errors)))
    if reads is not None:
        note_unread(records, reads, columns or {}, notices)
    notices.warn(name)
    return Dataset(records, name, tuple(map(str, errors)), invalid, truncate, notices)


def _read(rows: Iterable[Any], make: Callable[..., Record]) -> tuple[tuple[Record, ...], list[DataError]]:
    """Return the records that `make` makes of the rows, one of each id, and what is wrong with the other rows."""
    arrow = hasattr(rows, "features")  # a datasets.Dataset
    records: dict[int, Record] = {}
    errors: list[DataError] = []
    for index, row in enumerate(rows):
        where, values = (f"row {index}", row) if isinstance(row, Mapping) else row
        try:
            new = make(arrow_row(values) if arrow else values, index, where)
            _check_same(records.setdefault(new.id, new), new)
        except DataError as error:
            errors.append(error)
    return tuple(records.values()), errors


def _unusable(errors: Sequence[DataError], usable: int) -> str:
    lines = [str(errors[0])]
    if len(errors) > 1:
        lines.append(f"{len(errors) - 1} more rows cannot be used, the next: {errors[1]}")
    if usable:
        lines.append(f"{usable} rows can be used; data.invalid=drop leaves the others out and lists them in run.json")
    return "\n".join(lines)


def _check_same(first: Record, second: Record) -> None:
    if replace(first, where="") != replace(second, where=""):
        raise DataError(f"{second.where}: the id is that of {first.where}, but the content differs; give it another id")


def _rows(spec: str, kind: str, seed: int, size: int | None) -> Iterator[tuple[str, dict[str, Any]]]:
    path = Path(spec)
    if suffix_of(path) in READERS or path.exists():
        return read(path)
    name, settings = parse_spec(spec)
    if name in bundled.names():
        return bundled.rows(name, settings, kind, seed=seed, size=size)
    if HUB_ID.fullmatch(name):
        if unknown := [s for s in settings if s not in SETTINGS]:
            raise ConfigError(f"{spec}: unknown setting {unknown[0]!r}; a hub dataset takes {', '.join(SETTINGS)}")
        return hub_rows(name, settings)
    raise DataError(
        f"{spec}: no such data{suggestion(name, bundled.names())}; give a file ({', '.join(READERS)}), "
        f"a generator ({', '.join(bundled.names())}) or a hub id (owner/name)"
    )


def parse_spec(spec: str) -> tuple[str, dict[str, str]]:
    """Split `name:level=2,split=test` into the name and its settings."""
    name, colon, rest = spec.partition(":")
    pairs = [part.partition("=") for part in rest.split(",")] if colon else []
    if bad := next((key + sign for key, sign, value in pairs if not (key and sign and value)), None):
        raise ConfigError(f"{spec}: cannot read {bad!r}; settings are written name:key=value,key=value")
    settings = {key.strip(): value.strip() for key, _, value in pairs}
    if len(settings) < len(pairs):
        raise ConfigError(f"{spec}: a setting is given twice")
    return name, settings
