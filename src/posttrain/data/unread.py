"""Columns of a file that nothing reads: named in a notice, so that nothing vanishes silently."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from posttrain.data.nested import Paths, names, root
from posttrain.data.notices import Notices
from posttrain.records import Record


def note_unread(
    records: Iterable[Record], reads: Callable[[str], bool] | None, columns: Mapping[str, Paths], notices: Notices
) -> None:
    """Add one notice that names the columns of these records which neither a reward nor the method reads.

    `reads`: whether something reads a column of this name; None where no run says so.
    `columns`: the renamed ones; a cell in which a dotted path begins is read.
    """
    unread: dict[str, None] = {}
    count, first = 0, ""
    for r in records:
        own = [n for n, cell in r.columns.items() if _holds(cell) and not (reads and reads(n))]
        left = [n for n in own if n not in r.arguments and n not in _roots(r, columns)]
        if left:
            unread |= dict.fromkeys(left)
            count, first = count + 1, first or r.where
    if unread:
        listed = sorted(unread)
        what = "the column" if len(listed) == 1 else "the columns"
        by = "not read" if reads else "read only by rewards and losses that ask for them by name"
        notices.counts[f"{what} {', '.join(map(repr, listed))} {'is' if len(listed) == 1 else 'are'} {by}"] = (
            count,
            first,
        )


def _roots(record: Record, columns: Mapping[str, Paths]) -> set[str]:
    return {root(record.columns, theirs) for theirs in names(columns) if "." in theirs}


def _holds(cell: Any) -> bool:
    return cell is not None and not (isinstance(cell, str | list | tuple | dict) and not cell)
