"""What a run has done so far, in numbers and names, and on the disk: what a later attempt finds and passes over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from posttrain.errors import ConfigError, ModelError
from posttrain.machine.kill_points import maybe_kill
from posttrain.runs.checkpoint import Checkpoints
from posttrain.runs.directory import RunDirectory
from posttrain.runs.metrics import MetricsWriter
from posttrain.runs.rounds import read_rows, write_rows
from posttrain.runs.samples import SamplesWriter
from posttrain.runs.saver import STATE, Copy, Saver
from posttrain.runs.state import read_state


class Journal:
    """Counts steps and verbs; with a directory it also writes. `saved` is the checkpoint until a stage has read it."""

    def __init__(
        self, directory: RunDirectory | None, *, keep: int = 2, keep_every: int | None = None, vocabulary: str = ""
    ) -> None:
        self.directory, self.vocabulary = directory, vocabulary
        self.steps = 0  # of all stages so far
        self.finished: list[int] = []  # steps of every verb that is done
        self.kept: list[str] = []  # names of what was collected, measured and evaluated
        self.saved: dict[str, Any] | None = None
        if directory is not None:
            self.metrics = MetricsWriter(directory.metrics)
            self.samples = SamplesWriter(directory.samples)
            self.saver = Saver(Checkpoints(directory.path, keep, keep_every, run=directory.id))

    def resume(self, which: str) -> str:
        """Go back to the newest checkpoint ("latest") or that of a step ("40"), and forget what came after it.

        Returns what to tell the user. Raises StorageError, or ModelError if the run's tokenizer has changed.
        """
        folder, said = self.saver.checkpoints.choose(which)
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
        return said

    def save(self, take: Callable[[], Copy]) -> None:
        """Begin to write a checkpoint of this moment."""

        def whole() -> Copy:
            state, write_model = take()
            own = {"global_step": self.steps, "finished": list(self.finished), "kept": list(self.kept)}
            return {**own, "vocabulary": self.vocabulary, **state}, write_model

        self.metrics.sync()
        self.saver.save(self.steps, whole)

    def done(self, verb: int) -> bool:
        """Whether an earlier attempt has finished a verb."""
        return self.saved is not None and len(self.saved["finished"]) > verb

    def skip(self, verb: int) -> None:
        """Count a verb that is done."""
        assert self.saved is not None
        steps = int(self.saved["finished"][verb])
        self.finished.append(steps)
        self.steps += steps

    def once(self, name: str, make: Callable[[], list[Any]]) -> list[Any]:
        """Plain data that is made once in the life of a run, however often it is resumed."""
        if name in self.kept:
            raise ConfigError(f"{name} was made before in this run; give what is collected a name of its own")
        self.kept.append(name)
        path = None if self.directory is None else self.directory.path / f"{name}.jsonl"
        if self.saved is not None and path is not None:  # the models are not yet what they were then
            if name not in self.saved["kept"]:
                raise ConfigError(f"{name} is new: the procedure has changed since the checkpoint; start a new run")
            return read_rows(path)
        rows = make()
        if path is not None:
            write_rows(path, rows)
        return rows

    def close(self) -> None:
        """Wait for a checkpoint that is being written, and let others have the directory."""
        if self.directory is not None:
            try:
                self.saver.wait()
            finally:
                self.metrics.close()
                self.directory.close()
