"""The tokens of a text, and which of them hold given characters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from posttrain.data.chat.prefix import shared


class Tokens(ABC):
    """Token ids of a text."""

    ids: list[int]

    @abstractmethod
    def begins_before(self, position: int, start: int) -> bool:
        """Whether a token with characters behind `start` has some before it, too."""

    @abstractmethod
    def within(self, start: int, end: int) -> range:
        """Return the positions of the tokens with characters in [start, end), one that begins before it included."""


class Located(Tokens):
    """Tokens of which it is known where their characters begin and end in the text."""

    def __init__(self, ids: Sequence[int], offsets: Sequence[tuple[int, int]]) -> None:
        self.ids = list(ids)
        self.offsets = list(offsets)
        # A character of several tokens, or white space that a token leaves out, must not make the order uneven.
        starts, ends = zip(*offsets, strict=True) if offsets else ((), ())
        self.ends = list(accumulate(ends, max))
        self.starts = list(accumulate(starts[::-1], min))[::-1]

    def begins_before(self, position: int, start: int) -> bool:
        return self.offsets[position][0] < start

    def within(self, start: int, end: int) -> range:
        return range(bisect_right(self.ends, start), bisect_left(self.starts, end))


class ByPrefix(Tokens):
    """Tokens of a tokenizer that does not tell where they are.

    The tokens of a text and of its beginning have a beginning in common, which ends at the character asked for.
    """

    def __init__(self, text: str, encode: Callable[[str], list[int]]) -> None:
        self.text = text
        self.encode = encode
        self.ids = encode(text)

    def within(self, start: int, end: int) -> range:
        first, last = (shared(self.ids, self.encode(self.text[:edge])) for edge in (start, end))
        return range(first, last)

    def begins_before(self, position: int, start: int) -> bool:  # noqa: ARG002
        return False  # what swallows characters behind `start` is in the common beginning
