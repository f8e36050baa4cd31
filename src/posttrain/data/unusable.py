"""Rows that cannot be used: the error that names the first and counts the others."""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.errors import DataError


class UnusableError(DataError):
    """Some rows cannot be used. `messages` says of each where it is and what is wrong."""

    def __init__(self, errors: Sequence[DataError], usable: int) -> None:
        self.messages = tuple(map(str, errors))
        lines = [self.messages[0]]
        if len(errors) > 1:
            lines.append(f"{len(errors) - 1} more rows cannot be used, the next: {self.messages[1]}")
        if usable:
            count = "1 row" if usable == 1 else f"{usable} rows"
            lines.append(f"{count} can be used; to leave such rows out, set invalid: drop for this data")
        super().__init__("\n".join(lines))
