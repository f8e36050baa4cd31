"""Rows of a source larger than memory, cut into windows that are read one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Windows(Generic[T]):
    """Windows of `size` rows each; the last one may be smaller.

    `rows` begins to read the source anew. `make` turns the rows of a window into what is kept of them; it also gets the
    number of rows before it. `extent`: bytes of the files of the source; 0 if it is in no file.
    """

    rows: Callable[[], Iterator[Any]]
    size: int
    make: Callable[[Iterable[Any], int], T]
    extent: int = 0

    def read(self, first: int = 0) -> Iterator[T]:
        """Yield windows from the one with the number `first` on. The rows before it are read and not kept."""
        start = first * self.size
        rows = islice(self.rows(), start, None)
        while window := list(islice(rows, self.size)):
            yield self.make(window, start)
            start += self.size
