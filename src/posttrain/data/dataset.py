"""Records of one kind in a fixed order, with a fingerprint. They are loaded from a file, a generator or the hub."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any, Literal, overload

from posttrain.core import kinds
from posttrain.data.chat.length import Truncate
from posttrain.data.columns import TrainOn, record
from posttrain.data.feedback.read import as_rows
from posttrain.data.feedback.views import OWN
from posttrain.data.keep import Ranges, kept
from posttrain.data.nested import Paths
from posttrain.data.notices import Notices
from posttrain.data.ordering import Mixture, difficulties, ordered
from posttrain.data.readers.arrow_values import arrow_row
from posttrain.data.sources import extent, is_bundled
from posttrain.data.sources import rows as rows_of
from posttrain.data.under import under_system
from posttrain.data.unread import note_unread
from posttrain.data.unusable import UnusableError
from posttrain.data.windows import Windows
from posttrain.errors import DataError
from posttrain.records import Record

log = logging.getLogger(__name__)

Invalid = Literal["stop", "drop"]  # what to do about unusable rows
Reads = Callable[[str], bool]  # whether something reads a column of this name


@dataclass(frozen=True, eq=False)
class Dataset(Sequence[Record]):
    """Records, and a name for messages. `from_rows` makes a dataset of dictionaries, `load` of a file.

    `dropped`: the messages of the unusable rows that were left out, each with its place and what is wrong. `invalid`
    and `truncate`: what happens to records that cannot be encoded, and to those that are too long. `notices`: what else
    the user should know about the rows. `difficulty` (by id): the lower, the earlier in an epoch; None shuffles.
    `mixture`: the sources of the records, if an epoch takes a share of each. `windows`: how the rest of a source that
    is streamed is read; then the records are those of its first window. `start`: the rows of the source before these.
    """

    records: tuple[Record, ...]
    name: str = "rows"
    dropped: tuple[str, ...] = ()
    invalid: Invalid = "stop"
    truncate: Truncate = "error"
    notices: Notices = field(default_factory=Notices)
    difficulty: Mapping[int, float] | None = None
    mixture: Mixture | None = None
    windows: Windows[Dataset] | None = None
    start: int = 0
    _order: dict[tuple[int, int], list[int]] = field(default_factory=dict, repr=False)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        return self.records[index]

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def epoch_size(self) -> int:
        """Number of records in an epoch: all of them, unless a mixture takes only a share of some."""
        return len(self) if self.mixture is None else sum(self.mixture.shares([r.id for r in self.records]))

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
        if self.mixture or self.difficulty:
            digest.update(json.dumps([self.mixture and self.mixture.weights, self.order(0, 0)]).encode())
        return digest.hexdigest()[:16]

    def order(self, epoch: int, seed: int) -> Sequence[int]:
        """Return the record indices of an epoch: each record is placed by its id, the epoch and the seed alone."""
        key = (epoch, seed)
        if key not in self._order:
            self._order.clear()  # one epoch is in use at a time
            self._order[key] = ordered([r.id for r in self.records], epoch, seed, self.mixture, self.difficulty)
        return self._order[key]


def load(
    spec: str,
    kind: str,
    *,
    seed: int = 0,
    size: int | None = None,
    window: int | None = None,
    **how: Any,
) -> Dataset:
    """Load records of a kind ("prompts", "pairs", ...) from a file, a bundled generator or a dataset on the hub.

    `spec`: "train.jsonl" | "arithmetic:level=2,split=test" | "openai/gsm8k:config=main,split=train", or a
    folder or pattern of files. `size`: the maximum number of rows. `seed`: of a generator. `how`: as in from_rows.
    `window`: the number of rows that are held at a time of a source that is streamed; None reads all.
    """
    kinds.kind(kind)
    if is_bundled(spec):
        how["reads"] = None  # its columns are not the user's
    if window is None:
        return from_rows(islice(rows_of(spec, kind, seed, size), size), kind, name=spec, **how)
    return _streamed(lambda: islice(rows_of(spec, kind, seed, size, stream=True), size), kind, window, spec, how)


def _streamed(rows: Callable[[], Iterator[Any]], kind: str, window: int, spec: str, how: Mapping[str, Any]) -> Dataset:
    """Return the dataset of the first window, with the means to read the others."""

    def make(some: Iterable[Any], start: int) -> Dataset:
        name = f"{spec}, rows from {start + 1} on" if start else spec
        return from_rows(some, kind, start=start, **{**how, "name": name, "reads": None})

    windows = Windows(rows, window, make, extent(spec))
    return replace(from_rows(islice(rows(), window), kind, name=spec, **how), windows=windows)


def from_rows(
    rows: Iterable[Mapping[str, Any] | tuple[str, Mapping[str, Any]]],
    kind: str,
    *,
    columns: Mapping[str, Paths] | None = None,
    answer_after: str | None = None,
    chat: bool = False,
    train_on: TrainOn = "all",
    name: str = "rows",
    invalid: Invalid = "stop",
    truncate: Truncate = "error",
    reads: Reads | None = None,
    order: str = "shuffled",
    part: tuple[Any, ...] = (),
    start: int = 0,
    feedback: Mapping[str, Any] | None = None,
    keep: Ranges | None = None,
    system: str = "",
) -> Dataset:
    """Make a dataset of dictionaries, or of (where, dictionary). Rows with the same id must be equal; one is kept.

    `rows` may be a `datasets.Dataset`. `columns`, `answer_after`, `chat`, `train_on`, `part`: as in columns.record.
    Unusable rows: with invalid="stop" a DataError names the first and counts the others; with "drop" they are left out,
    counted in a warning and listed in `Dataset.dropped`. `truncate`: what is done to rows that are too long when they
    are encoded; see chat/length.py. `reads`: whether something reads a column of this name; columns that nothing reads
    are named in a notice. None: not known. `order`: shuffled, file, or a column of numbers, the smallest first.
    `start`: the rows of the source before these, which have been read apart; then none of these need be usable.
    `feedback`: how acts of feedback become rows; see feedback/views.py. `keep`: as in keep.py.
    `system`: a system prompt that all records are under.
    """
    notices = Notices()
    rows, unread = as_rows(rows, kind, feedback, reads, notices, name, required=not start)
    how: dict[str, Any] = {"columns": columns, "answer_after": answer_after, "chat": chat, "train_on": train_on}
    records, errors = _read(rows, lambda *row: record(row[0], kind, *row[1:], **how, notices=notices), part, start)
    errors = [*unread, *errors]
    if errors and (invalid == "stop" or not (records or start)):
        raise UnusableError(errors, usable=len(records))
    if not (records or start):
        raise DataError(f"{name}: 0 examples")
    if errors:
        count = len(records) + len(errors)
        log.warning("%s: dropped %d of %d rows: %s", name, len(errors), count, "; ".join(map(str, errors)))
    if keep:
        records = kept(records, keep, notices)
        if not (records or start):
            raise DataError(f"{name}: keep leaves no record; widen {', '.join(keep)}")
    if reads is not None:
        note_unread(
            records, lambda column: column in (order, *OWN, *(keep or ())) or reads(column), columns or {}, notices
        )
    notices.warn(name)
    dropped, records = tuple(map(str, errors)), under_system(records, system)
    return Dataset(records, name, dropped, invalid, truncate, notices, difficulties(records, order), start=start)


def _read(
    rows: Iterable[Any], make: Callable[..., Record], part: tuple[Any, ...], start: int
) -> tuple[tuple[Record, ...], list[DataError]]:
    """Return the records that `make` makes of the rows, one of each id, and what is wrong with the other rows."""
    arrow = hasattr(rows, "features")  # a datasets.Dataset
    records: dict[int, Record] = {}
    errors: list[DataError] = []
    for index, row in enumerate(rows, start):
        where, values, *file = (f"row {index}", row) if isinstance(row, Mapping) else row
        try:
            new = make(arrow_row(values) if arrow else values, index, where, (*part, *filter(None, file)))
            _check_same(records.setdefault(new.id, new), new)
        except DataError as error:
            errors.append(error)
    return tuple(records.values()), errors


def _check_same(first: Record, second: Record) -> None:
    if first is not second and replace(first, where="") != replace(second, where=""):
        raise DataError(f"{second.where}: the id is that of {first.where}, but the content differs; give it another id")
