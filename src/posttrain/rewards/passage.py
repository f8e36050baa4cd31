"""The part of an answer that a reward reads: what stands behind a thought, or the thought alone.

x = thought </think> answer        read_after: </think>  gives  answer        read_before: </think>  gives  thought
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Passage:
    """From behind the first mark `after` up to the next mark `before`; None is the beginning, or the end, of the text.

    Without its mark `after` a text has no such part: a thought that was cut off holds no answer. Without its mark
    `before` the part goes on to the end.
    """

    after: str | None = None
    before: str | None = None

    def bounds(self, text: str) -> tuple[int, int]:
        """Return the characters of the part: from the first one up to, not including, the last one."""
        start = 0
        if self.after is not None:
            at = text.find(self.after)
            start = len(text) if at < 0 else at + len(self.after)
        end = -1 if self.before is None else text.find(self.before, start)
        return start, len(text) if end < 0 else end

    def of(self, text: str) -> str:
        """Return the part."""
        start, end = self.bounds(text)
        return text[start:end]

    @property
    def is_whole(self) -> bool:
        """Whether it is all of every text."""
        return self.after is None and self.before is None


WHOLE = Passage()
