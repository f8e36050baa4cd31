"""What a run has done so far: steps, verbs and named results, in memory or on disk.

A later attempt finds it there and skips what is finished.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from posttrain.errors import ConfigError, ModelError
from posttrain.machine.kill_points import maybe_kill
from posttrain.records import Episode
from posttrain.runs import durable
from posttrain.runs.checkpoint import Checkpoints
from posttrain.runs.directory import RunDirectory
from posttrain.runs.metrics import Metric, MetricsWriter
from posttrain.runs.rounds import read_rows, write_rows
from posttrain.runs.samples import SamplesWriter
from posttrain.runs.saver import STATE, Copy, Saver
from posttrain.runs.state import read_state
from posttrain.seeds import seed_for

KEPT = "kept.jsonl"  # one line for each named result: its name, and where in the run it was made


class Journal:
    """Counts steps, verbs and named results. This one writes nothing; DirectoryJournal writes to a run directory.

    `steps`: optimiser batches of all stages so far. `finished`: the number of steps of every verb that is done.
    `saved`: the checkpoint to restore, until a stage has read it.
    """

    writes = False
    folder: Path | None = None

    def __init__(self) -> None:
        self.steps = 0
        self.finished: list[int] = []
        self.names: list[str] = []
        self.saved: dict[str, Any] | None = None

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

    def _claim(self, name: str) -> None:
        """Count a named result. ConfigError for a name that this attempt has used already."""
        if name in self.names:
            raise ConfigError(f"{name} was made before in this run; give what is collected a name of its own")
        self.names.append(name)

    # ---- files; nothing happens without a directory

    def resume(self, which: str) -> str:
        """Go back to a checkpoint; returns what to tell the user."""
        raise ConfigError(f"resume: {which}: this session has no run directory to resume from")

    def describe(self, **facts: Mapping[str, Any]) -> None:
        """Add facts to run.json."""

    def write_metrics(self, row: Mapping[str, Metric]) -> None:
        """Write the metrics of the current step."""

    def write_samples(self, step: int, episodes: Sequence[Episode]) -> None:
        """Write sampled episodes for people to read."""

    def save(self, take: Callable[[], Copy]) -> None:
        """Begin to write a checkpoint of this moment."""

    def check_saved(self) -> None:
        """Raise what went wrong with a save that has ended."""

    def wait_until_saved(self) -> None:
        """Wait for the checkpoint that is being written; raise what went wrong."""

    def settle(self) -> None:
        """Wait likewise, but only log what went wrong: the run ends for another reason."""

    def close(self) -> None:
        """Wait for a checkpoint that is being written, and unlock the directory."""


class DirectoryJournal(Journal):
    """A journal that writes metrics, samples, named results and checkpoints to a run directory.

    `vocabulary` identifies the tokenizer, so that a checkpoint of another one is refused. `settings` identifies the
    settings: a result that was made under others is computed again, unless a checkpoint builds on it.
    """

    writes = True

    def __init__(
        self,
        directory: RunDirectory,
        *,
        keep: int = 2,
        keep_every: int | None = None,
        vocabulary: str = "",
        settings: str = "",
    ) -> None:
        super().__init__()
        self.directory = directory
        self.folder: Path = directory.path
        self.vocabulary = vocabulary
        self.settings = settings
        self.metrics = MetricsWriter(directory.metrics)
        self.samples = SamplesWriter(directory.samples)
        self.saver = Saver(Checkpoints(directory.path, keep, keep_every, run=directory.id))
        self._kept: dict[str, Mapping[str, Any]] = {}  # what earlier attempts have made, by name

    def resume(self, which: str) -> str:
        """Go back to the newest checkpoint ("latest") or that of a step ("40"), and drop what came after it.

        Returns what to tell the user. Raises StorageError, or ModelError if the run's tokenizer has changed.
        """
        folder, message = self.saver.checkpoints.choose(which)
        step = 0
        if folder is not None:
            self.saved = read_state(folder, STATE)
            step = int(self.saved["global_step"])
            if self.saved["vocabulary"] != self.vocabulary:
                raise ModelError(
                    f"{folder}: its tokenizer has {self.saved['vocabulary']}, that of this run {self.vocabulary}; "
                    "resume with the model that the run began with"
                )
        maybe_kill("resume", step)
        self.metrics.truncate_after(step)
        self.samples.truncate_after(step)
        self.saver.checkpoints.truncate_after(step)
        self._kept = self._read_kept(None if which == "latest" else step)
        return message

    def once(self, name: str, compute: Callable[[], list[Any]]) -> list[Any]:
        """Read the result of this name if an earlier attempt has made it at the same point of the run; else compute it.

        It is on disk before this returns, whether or not a checkpoint follows.
        """
        self._claim(name)
        path = self.folder / f"{name}.jsonl"
        if self.saved is not None:  # the models are not yet those that the checkpoint will restore
            if name not in self.saved["kept"]:
                raise ConfigError(f"{name} is new: the procedure has changed since the checkpoint; start a new run")
            return read_rows(path)
        entry = {"name": name, "steps": self.steps, "verb": self.verb, "settings": self.settings}
        if self._kept.get(name) == entry:
            return read_rows(path)
        rows = compute()
        write_rows(path, rows)
        durable.append_line(self.folder / KEPT, json.dumps(entry))
        return rows

    def _read_kept(self, up_to: int | None) -> dict[str, Mapping[str, Any]]:
        """The named results of earlier attempts; with `up_to` only those made before or at that step."""
        path = self.folder / KEPT
        if not path.exists():
            return {}
        entries = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.endswith("}")]
        return {e["name"]: e for e in entries if up_to is None or e["steps"] <= up_to}

    def describe(self, **facts: Mapping[str, Any]) -> None:
        self.directory.add(**facts)

    def write_metrics(self, row: Mapping[str, Metric]) -> None:
        self.metrics.write(self.steps, row)

    def write_samples(self, step: int, episodes: Sequence[Episode]) -> None:
        self.samples.write(step, episodes)

    def save(self, take: Callable[[], Copy]) -> None:
        def whole() -> Copy:
            state, write_model = take()
            own = {"global_step": self.steps, "finished": list(self.finished), "kept": list(self.names)}
            return {**own, "vocabulary": self.vocabulary, **state}, write_model

        self.metrics.sync()
        self.saver.save(self.steps, whole)

    def check_saved(self) -> None:
        self.saver.check()

    def wait_until_saved(self) -> None:
        self.saver.wait()

    def settle(self) -> None:
        self.saver.settle()

    def close(self) -> None:
        try:
            self.saver.wait()
        finally:
            self.metrics.close()
            self.directory.close()


def settings_of(config: Mapping[str, Any]) -> str:
    """Identify the settings of a run by a hash that does not depend on where its files lie."""
    decisive = {k: v for k, v in config.items() if k not in ("name", "output", "device", "scoring")}
    return f"{seed_for(json.dumps(decisive, sort_keys=True, default=str)):014x}"
