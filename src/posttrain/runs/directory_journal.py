"""The journal of a run that has a directory: metrics, samples, named results and checkpoints go to disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from posttrain.errors import ConfigError, ModelError, StoppedError
from posttrain.machine.kill_points import maybe_kill
from posttrain.records import Episode
from posttrain.runs import durable
from posttrain.runs.aside import set_aside
from posttrain.runs.checkpoint import Checkpoints
from posttrain.runs.directory import RunDirectory
from posttrain.runs.ending import FinishedError, is_finished
from posttrain.runs.journal import Journal
from posttrain.runs.metrics import Metric, MetricsWriter
from posttrain.runs.names import is_blank
from posttrain.runs.pieces import Pieces
from posttrain.runs.rounds import read_rows, write_rows
from posttrain.runs.sampled_tokens import TokenTexts
from posttrain.runs.samples import SamplesWriter
from posttrain.runs.saver import STATE, Copy, Saver
from posttrain.runs.state import read_state

KEPT = "kept.jsonl"  # one line for each named result: its name, and where in the run it was made


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
        texts: TokenTexts | None = None,
    ) -> None:
        super().__init__()
        self.directory = directory
        self.folder: Path = directory.path
        self.vocabulary = vocabulary
        self.settings = settings
        self.metrics: MetricsWriter | None = None  # opened when the attempt begins
        self.samples = SamplesWriter(directory.samples, texts)
        self.saver = Saver(Checkpoints(directory.path, keep, keep_every, run=directory.id))
        self._kept: dict[str, Mapping[str, Any]] = {}  # what earlier attempts have made, by name
        self._goes_back = False  # to a step that the user names: what came after it is set aside

    def begin(self) -> None:
        self._metrics()

    def _metrics(self) -> MetricsWriter:
        if self.metrics is None:
            self.directory.begin()
            self.metrics = MetricsWriter(self.directory.metrics)
        return self.metrics

    def resume(self, which: str) -> str:
        """Choose the newest checkpoint ("latest") or that of a step ("40"); nothing is written before `accept`.

        Without any checkpoint the run begins anew, and what it has is set aside. Returns what to tell the user. Raises
        StorageError, or ModelError if the run's tokenizer has changed.
        """
        folder, message = self.saver.checkpoints.choose(which)
        if folder is None:
            maybe_kill("resume", 0)
            aside = self._drop_after(0, keep=True)
            self._kept = self._read_kept(None)
            return message + (f"; its results until now are in {aside}" if aside else "")
        self.saved = read_state(folder, STATE)
        if self.saved["vocabulary"] != self.vocabulary:
            raise ModelError(
                f"{folder}: its tokenizer has {self.saved['vocabulary']}, that of this run {self.vocabulary}; "
                "resume with the model that the run began with"
            )
        self.directory.check_seed(self.saved.get("seed"))
        maybe_kill("resume", int(self.saved["global_step"]))
        self._goes_back = which != "latest"
        self._kept = self._read_kept(int(self.saved["global_step"]) if self._goes_back else None)
        return message

    def refuse_finished(self) -> None:
        if is_finished(self.folder):
            raise FinishedError(self.folder, self.steps)

    def accept(self) -> None:
        assert self.saved is not None
        step, self.saved = int(self.saved["global_step"]), None
        self.saved_step = step
        self._drop_after(step, keep=self._goes_back)

    def _drop_after(self, step: int, *, keep: bool) -> Path | None:
        """Remove what belongs to later steps, which will be repeated; with `keep` it is set aside, and this says where.

        What lies behind the newest checkpoint is not kept: the same steps come again.
        """
        aside = set_aside(self.folder, self.directory.attempt, step) if keep else None
        self._metrics().truncate_after(step)
        self.samples.truncate_after(step)
        self.saver.checkpoints.truncate_after(step)
        return aside

    def once(self, name: str, compute: Callable[[], list[Any]]) -> list[Any]:
        """Read the result of this name if an earlier attempt has made it at the same point of the run; else compute it.

        It is on disk before this returns, whether or not a checkpoint follows.
        """
        self._claim(name)
        if self.saved is not None:  # the models are not yet those that the checkpoint will restore
            if name not in self.saved["kept"]:
                raise ConfigError(f"{name} is new: the procedure has changed since the checkpoint; start a new run")
            return read_rows(self.folder / f"{name}.jsonl")
        return self._computed(name, compute, {})

    def measured(self, name: str, compute: Callable[[], list[Any]], asked: str) -> list[Any] | None:
        if self.saved is not None:
            known = name in self.saved["kept"] and self._kept.get(name, {}).get("asked") == asked
            if not known:
                return None
            self._claim(name)
            return read_rows(self.folder / f"{name}.jsonl")
        self._claim(name)
        return self._computed(name, compute, {"asked": asked})

    def _computed(self, name: str, compute: Callable[[], list[Any]], about: Mapping[str, str]) -> list[Any]:
        """Read what an earlier attempt has made at this point of the run, else compute and keep it."""
        path = self.folder / f"{name}.jsonl"
        entry = {**self._place(name), **about}
        if self._kept.get(name) == entry:
            return read_rows(path)
        rows = compute()
        self.begin()
        write_rows(path, rows)
        durable.append_line(self.folder / KEPT, json.dumps(entry))
        self.pieces(name).done()
        return rows

    def pieces(self, name: str) -> Pieces:
        self.begin()
        return Pieces(self.folder / f"{name}.pieces.jsonl", self._place(name))

    def _place(self, name: str) -> dict[str, Any]:
        """Where in the run a result is made, and under which settings."""
        return {"name": name, "steps": self.steps, "verb": self.verb, "settings": self.settings}

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
        self._metrics().write(self.steps, row)
        super().write_metrics(row)

    def write_samples(self, step: int, episodes: Sequence[Episode]) -> None:
        self.samples.write(step, episodes)
        super().write_samples(step, episodes)

    def save(self, take: Callable[[], Copy], verbs: int | None = None) -> None:
        def whole() -> Copy:
            state, write_model = take()
            own = {"global_step": self.steps, "finished": self.finished[:verbs], "kept": list(self.names)}
            return {**own, "seed": self.directory.seed, "vocabulary": self.vocabulary, **state}, write_model

        self._metrics().sync()
        self.saver.save(self.steps, whole)
        self.saved_step = self.steps

    def check_saved(self) -> None:
        self.saver.check()

    def wait_until_saved(self) -> None:
        self.saver.wait()

    def settle(self) -> None:
        self.saver.settle()

    def kept_words(self) -> str:
        newest = self.saver.checkpoints.newest_name()
        if newest is not None:
            return f"{newest} is saved, continue with --resume"
        if is_blank(self.folder):
            return "nothing is written"
        return "no checkpoint is saved, and --resume begins anew with what was collected and measured until now"

    def fail(self, error: BaseException) -> None:
        super().fail(error)
        if self.directory.give_back():
            return
        if not self.directory.described:
            return
        how = "stopped" if isinstance(error, StoppedError | KeyboardInterrupt) else "failed"
        if how == "failed" and self.directory.log is not None:
            self.directory.log.fail(error)
        with suppress(OSError):  # the error itself matters more
            self.directory.add(ended={"how": how, "steps": self.steps, "why": str(error)[:1000]})
        newest = self.saver.checkpoints.newest_name()
        if newest is not None and "--resume" not in str(error):
            error.add_note(f"{newest} is saved: continue with --resume")

    def close(self) -> None:
        try:
            self.saver.wait()
        finally:
            if self.metrics is not None:
                self.metrics.close()
            self.directory.close()
            super().close()
