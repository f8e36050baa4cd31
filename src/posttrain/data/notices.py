"""What is worth a warning about many rows: each notice once, with the number of rows and the first place."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

log = logging.getLogger(__name__)


@dataclass
class Notices:
    """Notices by their text. `counts`: number of rows and the first place of each."""

    counts: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, text: str, where: str = "") -> None:
        """Count a notice about one row."""
        count, first = self.counts.get(text, (0, where))
        self.counts[text] = count + 1, first

    def lines(self) -> list[str]:
        """Return one line for each notice: `the column 'score' is not read (12 rows, the first a.jsonl:3)`."""
        return [
            f"{text} ({_rows(count)}{first and f', the first {first}'})" for text, (count, first) in self.counts.items()
        ]

    def warn(self, name: str) -> None:
        """Log each notice once, with the name of the data."""
        for line in self.lines():
            log.warning("%s: %s", name, line)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
