"""What reward functions and environments print: the log of the run has it, and the display the first lines."""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.rewards.workers.printed import Printed
from posttrain.runs.journal import Journal
from posttrain.runs.printed import PRINTED, write_printed
from posttrain.viewer.display import Display

SHOWN_LINES = 3  # of a batch


def keep_printed(journal: Journal, display: Display, printed: Sequence[Printed]) -> None:
    """Write what was printed to the log of the run, and show the first lines."""
    folder = journal.folder
    if folder is not None:
        write_printed(folder / PRINTED, journal.steps + 1, [(p.who, p.text) for p in printed])
    lines = [f"{p.who}: {line}" for p in printed if not p.shown for line in p.text.splitlines()]
    for line in lines[:SHOWN_LINES]:
        display.note(line)
    if len(lines) > SHOWN_LINES:
        more = f"{len(lines) - SHOWN_LINES} more printed lines"
        display.note(more if folder is None else f"{more} in {folder / PRINTED}")
