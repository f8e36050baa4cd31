"""Where something went wrong: the innermost code says what, the outermost adds file and line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from posttrain.errors import DataError, ModelError


@contextmanager
def at(where: str) -> Iterator[None]:
    """Errors about data or the model that leave this block begin with `where`."""
    try:
        yield
    except (DataError, ModelError) as error:
        raise type(error)(f"{where}: {error}" if where else str(error)) from error.__cause__
