"""The place of an error: inner code says what is wrong, the caller that knows file and line puts them in front."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from posttrain.errors import DataError, ModelError


@contextmanager
def errors_at(where: str) -> Iterator[None]:
    """Prefix the message of every DataError and ModelError that leaves this block with `where`."""
    try:
        yield
    except (DataError, ModelError) as error:
        raise type(error)(f"{where}: {error}" if where else str(error)) from error.__cause__
