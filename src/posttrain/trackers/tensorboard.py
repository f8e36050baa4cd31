"""TensorBoard: event files in `tensorboard/` of the run's folder, for `tensorboard --logdir runs`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from posttrain.trackers.tracker import COLUMNS, About, Row

PACKAGE = "tensorboardX"


class TensorBoard:
    """A writer of event files. `purge` is the first step whose earlier values are void, after a resume."""

    def __init__(self, folder: str, config: Mapping[str, Any], purge: int | None) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(folder, purge_step=purge)
        text = json.dumps(config, indent=2, default=str)
        self._writer.add_text("config", "\n".join(f"    {line}" for line in text.splitlines()), purge or 0)
        self._writer.flush()

    def metrics(self, step: int, numbers: Mapping[str, float]) -> None:
        for name, x in numbers.items():
            self._writer.add_scalar(name, x, step)
        self._writer.flush()

    def samples(self, step: int, rows: Sequence[Row]) -> None:
        lines = [COLUMNS, ("---",) * len(COLUMNS), *rows]
        self._writer.add_text("samples", "\n".join(_line(row) for row in lines), step)

    def finish(self, *, failed: bool) -> None:
        del failed  # event files say nothing about the end of a run
        self._writer.close()


def start(about: About, step: int) -> TensorBoard:
    """Begin or continue the event files of a run."""
    return TensorBoard(str(about.folder / "tensorboard"), about.config, step if step > 1 else None)


def _line(cells: Sequence[Any]) -> str:
    """One line of a table in Markdown."""
    texts = [str(cell).replace("|", "\\|").replace("\n", "<br>") for cell in cells]
    return f"| {' | '.join(texts)} |"
