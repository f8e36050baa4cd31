"""What a run has done so far: steps, verbs and named results, in memory or on disk.

A later attempt finds it there and skips what is finished.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from posttrain.errors import ConfigError
from posttrain.records import Episode
from posttrain.runs.metrics import Metric
from posttrain.runs.pieces import Pieces
from posttrain.runs.saver import Copy


class Watcher(Protocol):
    """Somebody who is told what a journal writes."""

    def metrics(self, step: int, row: Mapping[str, Metric]) -> None:
        """Take note of the metrics of a step."""

    def samples(self, step: int, episodes: Sequence[Episode]) -> None:
        """Take note of the sampled answers of a step."""

    def finish(self, *, failed: bool) -> None:
        """Take note of the end of the run."""


class Journal:
    """Counts steps, verbs and named results. This one writes nothing; DirectoryJournal writes to a run directory.

    `steps`: optimiser batches of all stages so far. `finished`: the number of steps of every verb that is done.
    `saved`: the checkpoint to restore, until a stage has read it. `saved_step`: the step of the newest checkpoint.
    `watchers` are told what is written.
    """

    writes = False
    folder: Path | None = None

    def __init__(self) -> None:
        self.steps = 0
        self.finished: list[int] = []
        self.names: list[str] = []
        self.saved: dict[str, Any] | None = None
        self.saved_step: int | None = None
        self.watchers: list[Watcher] = []

    # ---- verbs

    @property
    def verb(self) -> int:
        """Number of the verb that comes next."""
        return len(self.finished)

    def done(self, verb: int) -> bool:
        """Whether an earlier attempt has finished a verb."""
        return self.saved is not None and len(self.saved["finished"]) > verb

    def finish(self, steps: int) -> None:
        """Count a verb that took this number of steps."""
        self.finished.append(steps)

    def skip(self, verb: int) -> None:
        """Count a verb that an earlier attempt has finished."""
        assert self.saved is not None
        steps = int(self.saved["finished"][verb])
        self.finish(steps)
        self.steps += steps

    # ---- named results

    def once(self, name: str, compute: Callable[[], list[Any]]) -> list[Any]:
        """Plain data that is computed once in the life of a run, however often it is resumed."""
        self._claim(name)
        return compute()

    def pieces(self, name: str) -> Pieces:
        """What has been computed so far of the result of this name, which takes long."""
        del name  # nothing outlives this attempt
        return Pieces()

    def measured(self, name: str, compute: Callable[[], list[Any]], asked: str) -> list[Any] | None:
        """An evaluation, kept likewise. `asked`: identifies what was measured; with another one it has no result.

        None where it should have been made before the checkpoint, by models that are gone.
        """
        del asked  # this attempt is the first
        return self.once(name, compute)

    def _claim(self, name: str) -> None:
        """Count a named result. ConfigError for a name that this attempt has used already."""
        if name in self.names:
            raise ConfigError(f"{name} was made before in this run; give what is collected a name of its own")
        self.names.append(name)

    # ---- files; nothing happens without a directory

    def begin(self) -> None:
        """Write what describes this attempt, before anything else. Does nothing the second time."""

    def resume(self, which: str) -> str:
        """Choose a checkpoint to go back to; returns what to tell the user."""
        raise ConfigError(f"resume: {which}: this session has no run directory to resume from")

    def refuse_finished(self) -> None:
        """Raise FinishedError if the run to be resumed came to its end. Nothing is changed."""

    def accept(self) -> None:
        """Go back to the chosen checkpoint for good: it fits this run, and all of it is restored."""
        self.saved = None

    def describe(self, **facts: Mapping[str, Any]) -> None:
        """Add facts to run.json."""

    def write_metrics(self, row: Mapping[str, Metric]) -> None:
        """Write the metrics of the current step."""
        for watcher in self.watchers:
            watcher.metrics(self.steps, row)

    def write_samples(self, step: int, episodes: Sequence[Episode]) -> None:
        """Write sampled episodes for people to read."""
        for watcher in self.watchers:
            watcher.samples(step, episodes)

    def save(self, take: Callable[[], Copy], verbs: int | None = None) -> None:
        """Begin to write a checkpoint of this moment. `verbs`: how many are finished, if not all that are counted."""

    def check_saved(self) -> None:
        """Raise what went wrong with a save that has ended."""

    def wait_until_saved(self) -> None:
        """Wait for the checkpoint that is being written; raise what went wrong."""

    def settle(self) -> None:
        """Wait likewise, but only log what went wrong: the run ends for another reason."""

    def kept_words(self) -> str:
        """What is left of the run if it stops now, for a message."""
        return "nothing is written"

    def fail(self, error: BaseException) -> None:
        """Write down how the run ended; one that fails before its first result gives its name back."""
        del error  # there is nowhere to write it
        self._end(failed=True)

    def close(self) -> None:
        """Wait for a checkpoint that is being written, and unlock the directory."""
        self._end(failed=False)

    def _end(self, *, failed: bool) -> None:
        while self.watchers:
            self.watchers.pop().finish(failed=failed)
