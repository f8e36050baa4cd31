"""Encode all records of a dataset before the first step, so that bad input stops the run before any work is done."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from posttrain.data.chat.length import TooLongError
from posttrain.data.dataset import Dataset
from posttrain.data.unusable import UnusableError
from posttrain.errors import DataError
from posttrain.records import Record

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Encoded(Generic[T]):
    """The records that could be encoded, what they became by id, and the messages of those that were left out."""

    data: Dataset
    encoded: dict[int, T]
    dropped: tuple[str, ...]


def encode_all(
    data: Dataset, encode: Callable[[Record], T], progress: Callable[[int, int], None] = lambda *_: None
) -> Encoded[T]:
    """Encode every record.

    One that cannot be encoded stops the run with a DataError that names the first and counts the others, or is left
    out, as the dataset says: `invalid` for any reason, `truncate: drop` for those that are too long.
    """
    encoded: dict[int, T] = {}
    failed: list[DataError] = []
    dropped: list[DataError] = []
    for number, record in enumerate(data, 1):
        try:
            encoded[record.id] = encode(record)
        except DataError as error:
            drop = data.invalid == "drop" or (data.truncate == "drop" and isinstance(error, TooLongError))
            (dropped if drop else failed).append(error)
        progress(number, len(data))
    if not encoded and not data.start:  # a later window of a stream may be without use
        failed += dropped
    if failed:
        raise UnusableError(failed, usable=len(encoded))
    if not dropped:
        return Encoded(data, encoded, ())
    log.warning("%s: dropped %d of %d rows: %s", data.name, len(dropped), len(data), "; ".join(map(str, dropped)))
    return Encoded(data.only(encoded), encoded, tuple(map(str, dropped)))
