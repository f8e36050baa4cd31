"""The verbs that procedures use: train, collect, measure, ask, choose, copy, merge, move, evaluate, save.

Every verb that changes a model has a number. A checkpoint remembers the number, so a resumed procedure skips the verbs
that are already finished. The results of the other verbs are kept under a name, since the models that made them are
gone by then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from posttrain.backends.protocol import Direction, Shape
from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import configure
from posttrain.catalogue.transforms.off_policy import corrected
from posttrain.core.method import MAIN, Method
from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError, PosttrainError
from posttrain.models.merging.merge import Merge
from posttrain.rewards.reward import Reward
from posttrain.runs import durable
from posttrain.runs.decoder import SavedDecoder
from posttrain.runs.saver import Copy
from posttrain.training.best import KEPT, Best
from posttrain.training.observer import Observer
from posttrain.training.reference import check_rule
from posttrain.training.run import Run
from posttrain.training.saving import saves
from posttrain.training.section import section_of_stage
from posttrain.training.stage import Stage
from posttrain.training.trials import Trial, no_trial
from posttrain.training.written import write_model

if TYPE_CHECKING:
    from torch import Tensor


Sources = Mapping[str, Dataset]
Options = Mapping[str, Any]  # of one stage: steps, learning_rate, ... and `settings` of its method
NO_OPTIONS: Options = MappingProxyType({})
WITHOUT_GRADIENTS = "steps without gradients"
LARGE = 10**9  # bytes of a checkpoint that are worth a word


class Session(Observer):
    """The verbs of a run. `role` is the model that the last stage was about, `trained` those of all stages."""

    def __init__(self, run: Run, *, resume: str | None = None) -> None:
        super().__init__(run)
        self.role = "policy"
        self.decoder: SavedDecoder | None = None  # by which the model that the run is about answers
        self.trained: list[str] = []
        self.artefacts: dict[str, Path | None] = {}
        self.best: Best | None = None
        self.trial: Trial = no_trial
        self._last_copy: Callable[..., Copy] | None = None  # copies the state after the last verb, if it trained
        if resume is not None:
            run.display.note(run.journal.resume(resume))
        else:
            run.journal.begin()

    # ---- training

    def train(
        self,
        method: Method | str,
        data: Dataset | Sources,
        *,
        rewards: Sequence[Reward] | None = None,
        settings: Mapping[str, Any] | None = None,
        **train: Any,
    ) -> dict[str, float]:
        """Train with one method until its steps are done; returns the last metrics.

        `data`: records of the method's streams. `settings` go to the method; `train` (steps, learning_rate, ...)
        overrides the run file's section of that name. `rewards`: those of the run file unless given.
        """
        run = self.run
        if isinstance(method, str):
            method = catalogue.load(method, run.file.base)
        verb, section = run.journal.verb, section_of_stage(run.file.train, train)
        older = run.file.model_copy(update={"train": section}).off_policy
        stage = Stage(
            run,
            configure(corrected(method, section.rollout_correction, older=older), settings or {}),
            data if isinstance(data, Mapping) else {MAIN: data},
            rewards=run.rewards() if rewards is None else rewards,
            train=section,
            name=f"{verb}-{method.name}",
            evaluations=self.evaluations,
        )
        self.evaluations.before()
        self.role = stage.role
        self.decoder = None if stage.method.decoder is None else SavedDecoder(stage.method.decoder)
        self.trained = list(dict.fromkeys([*self.trained, stage.role]))
        if run.journal.done(verb):  # the models that it made are there now, for the checkpoint of a later stage to fill
            first = run.journal.steps
            run.journal.skip(verb)
            self.evaluations.recall(first, run.journal.steps)
            return {}
        metrics = stage.train()
        run.journal.finish(stage.next_step)
        self._last_copy = stage.snapshot
        self.best = stage.best
        return metrics

    def copy(self, source: str, target: str, share: float = 1.0) -> None:
        """Give one role the weights of another, as they are now; with share < 1 move it that far towards them."""
        self._change(lambda: self.run.learner.copy(source, target, share))

    def merge(
        self, sources: Sequence[str], target: str, rule: str = "linear", *, base: str | None = None, **how: Any
    ) -> None:
        """Give a role the weights that several models become. `how`: `weights`, `share`, ... (merging.Merge)."""
        self._change(lambda: self.run.learner.merge(sources, target, Merge(rule, **how), base))

    def set_head(self, role: str, name: str, weight: Tensor) -> None:
        """Give a role a head, or another one, with these weights [K, D] and no bias."""
        self._change(lambda: self.run.learner.set_head(role, name, weight))

    def _change(self, change: Callable[[], None]) -> None:
        """Change weights, also where the verb is skipped: the checkpoint fills the roles that it makes."""
        journal, verb = self.run.journal, self.run.journal.verb
        self._last_copy = None
        change()
        if journal.done(verb):
            journal.skip(verb)
        else:
            journal.finish(0)

    def move(self, source: str, target: str, along: Mapping[str, float], shape: Shape = "normal") -> None:
        """Give a role the weights of another plus a length along each named direction.

        A name is the same direction throughout the run. `shape`: as in backends.protocol.Direction.
        """
        run, journal, verb = self.run, self.run.journal, self.run.journal.verb
        self._last_copy = None
        if journal.done(verb):
            if source != target:
                run.learner.copy(source, target)  # the checkpoint fills the roles that were made
            journal.skip(verb)
            return
        directions = [(Direction(run.seed("direction", n), shape), x) for n, x in along.items()]
        run.learner.move(source, target, directions)
        journal.finish(0)

    def advance(self, step: int, total: int, metrics: Mapping[str, float]) -> None:
        """End a step outside any stage: count it, log it, and save a checkpoint when one is due."""
        run, journal, verb = self.run, self.run.journal, self.run.journal.verb
        if journal.done(verb):
            journal.skip(verb)
            if journal.saved is not None and len(journal.finished) == len(journal.saved["finished"]):
                run.learner.restore(journal.saved["backend"])
                journal.accept()
            return
        if step == 1:
            run.display.start(WITHOUT_GRADIENTS, total)
        journal.steps += 1
        journal.finish(1)
        if journal.steps % run.file.train.log_every == 0:
            journal.write_metrics({**metrics, **run.timers.read()})
        run.display.step(step, metrics)
        run.checkpoint(self._snapshot, due=run.save_clock.due(run.file.train, step, journal.steps))

    def _snapshot(self, *, last: bool = False) -> Copy:
        taken = self.run.learner.snapshot("policy", last=last)
        return {"stage": WITHOUT_GRADIENTS, "backend": taken.state}, taken.write

    def start_reference(self, rule: str | float) -> None:
        """Make the reference a copy of the policy, before the first round; `rule` says what becomes of it later."""
        check_rule(rule)
        self.copy("policy", "reference")
        if rule == "lag":
            self.copy("policy", "next_reference")

    def update_reference(self, rule: str | float) -> None:
        """Update the reference after a round.

        never: it stays. round: the policy. lag: the policy of a round ago. 0.1: a tenth of the way to the policy.
        """
        if rule == "round":
            self.copy("policy", "reference")
        elif rule == "lag":
            self.copy("next_reference", "reference")
            self.copy("policy", "next_reference")
        elif not isinstance(rule, str):
            self.copy("policy", "reference", float(rule))

    # ---- saving

    def save(self, role: str, folder: Path | None = None, *, decoder: SavedDecoder | None = None) -> Path:
        """Write a model that plain transformers opens, into the run directory's `final` unless given a folder.

        `decoder`: how it answers, with the models that this takes.
        """
        own = self.run.journal.folder
        if folder is None and own is None:
            raise ConfigError("save needs a folder: this session has no run directory")
        target = folder or cast(Path, own) / "final"
        self._settle()
        self.run.stop_at_ends()
        if target.exists() and own not in target.parents:  # it may hold files of somebody else
            write_model(self.run, role, target, decoder)
        else:
            with durable.whole_folder(target) as partial:
                write_model(self.run, role, partial, decoder)
        return target

    def _settle(self) -> None:
        """Wait for a checkpoint that is being written. If it fails that is a note: the model matters more."""
        try:
            self.run.journal.wait_until_saved()
        except PosttrainError as error:
            self.run.journal.saved_step = None
            self.run.display.note(str(error))

    def save_final(self) -> Path:
        """Save the model that the run is about: the best weights if the run file asks for them, else the last."""
        if self.best is None or self.best.step is None:
            return self.save(self.role, decoder=self.decoder)
        self.note(f"final is {self.best}")
        self.evaluations.chosen = f"final is {self.best}"
        return self.save(KEPT, decoder=self.decoder)

    def return_to_best(self) -> None:
        """Give the model that the run is about the weights that were saved as final."""
        if self.best is not None and self.best.step is not None:
            self.run.learner.copy(KEPT, self.role)

    def save_end(self) -> None:
        """Save a checkpoint of the end, so that the run can be extended: if the last verb trained, and by steps.

        A failure is a note, since the models are saved already.
        """
        journal, display = self.run.journal, self.run.display
        take = self._last_copy
        if take is None or not saves(self.run.file.train) or journal.saved_step == journal.steps:
            return
        try:
            journal.save(lambda: take(last=True), verbs=journal.verb - 1)
            journal.wait_until_saved()
            self._note_size()
        except (PosttrainError, MemoryError, RuntimeError, OSError) as error:
            display.note(f"no checkpoint of the end, so this run cannot be extended: {error}")

    def _note_size(self) -> None:
        """Say what the checkpoint of the end takes, if that is much."""
        journal = self.run.journal
        if journal.folder is None:
            return
        newest = journal.folder / "checkpoints" / f"checkpoint-{journal.steps}"
        size = sum(file.stat().st_size for file in newest.rglob("*") if file.is_file())
        if size > LARGE:
            self.run.display.note(
                f"{newest.name} takes {size / 1e9:.1f} GB, to extend the run from; train.save_minutes=0 saves none"
            )

    def artefact(self, name: str, content: str | Mapping[str, Any] | Sequence[Any]) -> Path | None:
        """Keep a result that is not a model: text, or plain data as JSON. Returns its file, if the run writes any."""
        own = self.run.journal.folder
        file = None
        if own is not None:
            text = content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False) + "\n"
            file = own / "artefacts" / (name if isinstance(content, str) else f"{name}.json")
            if self.run.journal.saved is None:  # else it was written before the checkpoint
                file.parent.mkdir(parents=True, exist_ok=True)
                durable.write_text(file, text)
        self.artefacts[name] = file
        return file

    def close(self) -> None:
        """End the workers, wait for a checkpoint that is being written, and unlock the directory."""
        self.run.close()

    def __enter__(self) -> Session:
        if self.run.journal.writes:
            self.run.signals.open()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self.run.journal.settle()
            self.run.journal.fail(error)
        self.close()
