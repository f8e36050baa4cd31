"""The verbs that procedures use: train, collect, measure, copy, evaluate, save.

A session holds the backend, the encoder, the settings and the run directory. Every verb that changes a model has
a number; a checkpoint remembers the number, so that a resumed procedure passes over what is done. What the other verbs
made is kept under a name, since the models that made it are gone by then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from posttrain.backends.protocol import Backend
from posttrain.catalogue import index as catalogue
from posttrain.catalogue.configure import configure
from posttrain.catalogue.transforms.off_policy import corrected
from posttrain.config.load import check
from posttrain.core.method import MAIN, Method, Sampling
from posttrain.core.parts import Function, Part, as_part
from posttrain.core.tensors import FIELDS, Batch, Source, When
from posttrain.data.chat.encode import Encoder
from posttrain.data.chat.renderer import RENDERER
from posttrain.data.collate import collate, paired, rollout_row
from posttrain.data.dataset import Dataset, load
from posttrain.errors import ConfigError
from posttrain.machine.kill_points import maybe_kill
from posttrain.records import Pair, Prompt, Record, Rollout, kind_of
from posttrain.rewards.reward import Reward, resolve
from posttrain.rewards.scorer import Scorer
from posttrain.runs.directory import RunDirectory
from posttrain.runs.journal import Journal
from posttrain.runs.rounds import as_rollouts, as_row
from posttrain.runs.saver import Copy
from posttrain.runs.signals import Signals
from posttrain.runs.timers import Clock
from posttrain.training.rollouts import request, rollout, with_opponents
from posttrain.training.stage import Stage
from posttrain.viewer.display import Display

if TYPE_CHECKING:
    from torch import Tensor

    from posttrain.config.schema import Data, RunFile, Train

Sources = Mapping[str, Dataset]
Options = Mapping[str, Any]  # of one stage: steps, learning_rate, ... and `settings` of its method
NONE: Options = MappingProxyType({})
Scoring = Sequence[Reward] | Part | Function  # reward functions, or what the models themselves say


@dataclass(frozen=True)
class Evaluation:
    """Answers to held-out prompts. `scores` [prompts] is the mean reward of each prompt's answers."""

    rollouts: list[Rollout]
    scores: dict[int, float]

    @classmethod
    def of(cls, rollouts: list[Rollout]) -> Evaluation:
        scores: dict[int, list[float]] = {}
        for r in rollouts:
            if r.reward is not None:
                scores.setdefault(r.prompt.id, []).append(r.reward)
        return cls(rollouts, {i: fmean(xs) for i, xs in scores.items()})

    @property
    def mean(self) -> float:
        return fmean(self.scores.values()) if self.scores else 0.0


class Session:
    """What a run has at hand. Without a directory nothing is written.

    `resume` continues a checkpoint of the directory: the newest ("latest") or that of a step ("40").
    """

    def __init__(
        self,
        run: RunFile,
        backend: Backend,
        encoder: Encoder,
        *,
        directory: RunDirectory | None = None,
        display: Display | None = None,
        resume: str | None = None,
        functions: tuple[Reward, ...] = (),
    ) -> None:
        self.run, self.backend, self.encoder, self.functions = run, backend, encoder, functions
        self.display, self.directory, self.clock, self.signals = display or Display(), directory, Clock(), Signals()
        self.started = time.monotonic()
        self.role = "policy"  # the model that the last stage was about
        self.evaluations: dict[str, Evaluation] = {}
        self._scorers: dict[tuple[Reward, ...], Scorer] = {}
        train, vocabulary = run.train, encoder.vocabulary
        self.journal = Journal(directory, keep=train.keep, keep_every=train.keep_every, vocabulary=vocabulary)
        if directory is not None and resume is not None:
            self.display.note(self.journal.resume(resume))

    # ---- verbs

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

        `data`: records of the method's streams. `settings` go to the method, `train` (steps, learning_rate, ...)
        overrides the run file's section of that name.
        """
        if isinstance(method, str):
            method = catalogue.load(method, self.run.base)
        verb, section = len(self.journal.finished), self._section(train)
        older = bool(section.async_steps or self.run.sampling.spare_prompts)
        stage = Stage(
            self,
            configure(corrected(method, section.rollout_correction, older=older), settings or {}),
            data if isinstance(data, Mapping) else {MAIN: data},
            rewards=self.rewards() if rewards is None else rewards,
            train=section,
            name=f"{verb}-{method.name}",
        )
        if self.journal.done(verb):
            stage.skip()
            self.role = stage.role
            self.journal.skip(verb)
            return {}
        metrics = stage.run()
        self.role = stage.role
        self.journal.finished.append(stage.total)
        return metrics

    def sample(
        self,
        prompts: Sequence[Prompt],
        how: Sampling | None = None,
        *,
        names: tuple[str | int, ...] = ("sample",),
        author: int = 0,
        max_tokens: int | None = None,
    ) -> list[Rollout]:
        """Answers to prompts, all samples of a prompt side by side. The seed of each derives from `names`."""
        how = how or Sampling()
        tokens = {p.id: self.encoder.prompt(p) for p in prompts}
        order = [(p, (author, k)) for p in prompts for k in range(how.samples)]
        requests = [request(self, p, tokens[p.id], how, names, key, max_tokens=max_tokens) for p, key in order]
        answers = self.backend.generate(requests, how.mix)
        maybe_kill("sampling")
        return [rollout(self, p, tokens[p.id], key, c) for (p, key), c in zip(order, answers, strict=True)]

    def score(self, rollouts: Sequence[Rollout], rewards: Sequence[Reward] | None = None) -> list[Rollout]:
        """The same answers with their rewards. A failed reward leaves None, never a number."""
        chosen = tuple(self.rewards() if rewards is None else rewards)
        scored = self.scorer(chosen).score(rollouts) if chosen else list(rollouts)
        maybe_kill("rewards")
        return scored

    def collect(
        self,
        name: str,
        prompts: Sequence[Record],
        *authors: Sampling,
        rewards: Scoring | None = None,
        max_tokens: int | None = None,
    ) -> list[Rollout]:
        """Scored answers of every author, kept as `rounds/<name>.jsonl`: a resumed run reads what it has collected.

        `rewards`: those of the run file unless given; () for none; a part (`log_ratio`) asks the models.
        """
        asked = [cast(Prompt, p) for p in prompts]

        def make() -> list[Any]:
            with self.clock("sampling"):
                answers = [
                    r
                    for author, how in enumerate(authors)
                    for r in self.sample(asked, how, names=(name,), author=author, max_tokens=max_tokens)
                ]
            with self.clock("rewards"):
                scored = self._scored(with_opponents(answers, len(authors)), rewards)
            return [as_row(r) for r in scored]

        rollouts = as_rollouts(self.journal.once(f"rounds/{name}", make), asked)
        mean = Evaluation.of(rollouts).mean
        self.display.note(f"{name}: {len(rollouts)} answers to {len(asked)} prompts, mean reward {mean:.3f}")
        return rollouts

    def measure(self, name: str, records: Sequence[Record], part: Part | Function) -> list[float]:
        """What a part says of each record, or pair, by the models as they are now; kept like what is collected."""

        def make() -> list[Any]:
            rows = [row for r in records for row in self.encoder.rows(r, kind_of(r))]
            return self._said(paired(rows) if isinstance(records[0], Pair) else collate(rows), part)

        return [float(x) for x in self.journal.once(f"rounds/{name}", make)]

    def spell(self, name: str, records: Sequence[Record], part: Part | Function) -> list[list[float]]:
        """What a part says of every token that is learnt of each record; kept like the rest."""

        def make() -> list[Any]:
            batch = collate([row for r in records for row in self.encoder.rows(r, kind_of(r))])
            values, rows = self._value(batch, part), batch["rows"]
            return [values[rows.mask & (rows.index == i)].tolist() for i in range(rows.count)]

        return self.journal.once(f"rounds/{name}", make)

    def judge(self, name: str, rollouts: Sequence[Rollout], rewards: Scoring | None = None) -> list[Rollout]:
        """The same answers with their rewards, kept like what is collected."""
        made = self.journal.once(f"rounds/{name}", lambda: [r.reward for r in self._scored(list(rollouts), rewards)])
        return [replace(r, reward=x) for r, x in zip(rollouts, made, strict=True)]

    def embed(self, name: str, records: Sequence[Record]) -> list[list[float]]:
        """The policy's state after the last token of every row: one of an answer, two of a pair; kept like the rest."""

        def make() -> list[Any]:
            batch = collate([row for r in records for row in self.encoder.rows(r, kind_of(r))])
            states = self.backend.forward(batch, {"hidden": Source("policy", "hidden", When.ONCE)})["hidden"]
            return states[batch["rows"].sizes.cumsum(0) - 1].tolist()

        return self.journal.once(f"rounds/{name}", make)

    def evaluate(
        self,
        prompts: Sequence[Prompt],
        rewards: Sequence[Reward] | None = None,
        *,
        samples: int = 1,
        temperature: float = 0.0,
        max_tokens: int | None = None,
    ) -> Evaluation:
        """Answer held-out prompts, greedily by default, and score the answers."""
        how = Sampling(samples=samples, temperature=temperature)
        asked = self.sample(prompts, how, names=("evaluate",), max_tokens=max_tokens)
        return Evaluation.of(self.score(asked, rewards))

    def copy(self, source: str, target: str, share: float = 1.0) -> None:
        """Give one role the weights of another, as they are now; with share < 1 move it that far towards them."""
        verb = len(self.journal.finished)
        self.backend.copy(source, target, share)  # even of a verb that is done: the checkpoint fills the roles it made
        if self.journal.done(verb):
            self.journal.skip(verb)
        else:
            self.journal.finished.append(0)

    def save(self, role: str, folder: Path | None = None) -> Path:
        """Write a model that plain transformers opens, into the run directory's `final` unless told otherwise."""
        if folder is None and self.directory is None:
            raise ConfigError("save needs a folder: this session has no run directory")
        target = folder or self.directory.final  # type: ignore[union-attr]
        if self.directory is not None:
            self.journal.saver.wait()
        target.mkdir(parents=True, exist_ok=True)
        self.backend.save(role, target)
        return target

    # ---- what the verbs share

    def dataset(self, source: Data, kind: str) -> Dataset:
        """Load records as the run file describes them. Rows that it lets drop are listed in run.json."""
        made = load(
            source.path,
            kind,
            columns=source.columns,
            answer_after=source.answer_after,
            size=source.size,
            chat=source.chat,
            invalid=source.invalid,
        )
        if made.dropped and self.directory is not None:
            self.directory.add(dropped={source.path: list(made.dropped)})
        return made

    def how(self, samples: int = 1, temperature: float = 1.0, **given: Any) -> Sampling:
        """An author: as the run file's `sampling` says where it says something, else as given here."""
        own = self.run.sampling
        return Sampling(
            samples=samples if own.samples is None else own.samples,
            temperature=temperature if own.temperature is None else own.temperature,
            **given,
        )

    def _scored(self, rollouts: list[Rollout], rewards: Scoring | None) -> list[Rollout]:
        if isinstance(rewards, Part) or callable(rewards):
            rows = [rollout_row(r, train=True, temperature=1.0, step=self.journal.steps) for r in rollouts]
            scores = self._said(collate(rows), rewards)
            return [replace(r, reward=s) for r, s in zip(rollouts, scores, strict=True)]
        if rewards is None and not self.rewards():
            raise ConfigError("the answers must be scored, and the run file names no `rewards`; add rewards: [...]")
        return self.score(rollouts, rewards)

    def _said(self, batch: Batch, part: Part | Function) -> list[float]:
        """The values of a part, one a row or pair."""
        return [float(x) for x in self._value(batch, part)]

    def _value(self, batch: Batch, part: Part | Function) -> Tensor:
        whole = as_part(part)
        sources = {n: FIELDS[n].source for n in sorted(whole.needs)}
        made = self.backend.forward(batch, {n: s for n, s in sources.items() if s is not None})
        return cast("Tensor", whole(batch.add(made, {n: FIELDS[n].axes for n in made})))

    def _section(self, changes: Mapping[str, Any]) -> Train:
        """The run file's `train` with other values, checked as it was."""
        values = self.run.train.model_dump() | dict(changes)
        if "steps" in changes:
            values["epochs"] = changes.get("epochs")
        if "epochs" in changes:
            values["steps"] = changes.get("steps")
        return check(type(self.run.train), values, "train")

    def evaluate_now(self, name: str) -> Evaluation | None:
        """Answer the questions of the run file's `evaluate`, if it has any, and keep the result under a name."""
        e = self.run.evaluate
        if e is None:
            return None
        prompts = [p for p in self.dataset(e.data, "prompts") if isinstance(p, Prompt)]

        def make() -> list[Any]:
            made = self.evaluate(prompts, samples=e.samples, temperature=e.temperature, max_tokens=e.max_tokens)
            return [as_row(r) for r in made.rollouts]

        kept = self.journal.once(f"evaluations/{name.replace(' ', '-')}", make)
        self.evaluations[name] = Evaluation.of(as_rollouts(kept, prompts))
        self.display.note(f"evaluation {name}: mean reward {self.evaluations[name].mean:.3f} on {len(prompts)} prompts")
        return self.evaluations[name]

    def evaluations_as_text(self) -> list[str]:
        """One line per evaluation, for the model card."""
        return [f"- {n}: mean reward {e.mean:.4f} on {len(e.scores)} prompts" for n, e in self.evaluations.items()]

    def rewards(self) -> tuple[Reward, ...]:
        """The rewards of the run file, and the functions that were given in Python. What they keep is in `kept`."""
        named = ({"path": r.path, "weight": r.weight, **r.settings} for r in self.run.rewards)
        folder = None if self.directory is None else self.directory.path / "kept"
        return tuple(r if folder is None else r.keeping(folder) for r in (*map(resolve, named), *self.functions))

    def scorer(self, rewards: tuple[Reward, ...]) -> Scorer:
        if rewards not in self._scorers:
            s = self.run.scoring
            self._scorers[rewards] = Scorer(
                rewards, workers=s.workers, timeout=s.timeout, max_error_rate=s.max_error_rate
            )
        return self._scorers[rewards]

    def boundary(self, take: Callable[[], Copy], *, due: bool) -> None:
        """Between two steps: save what `take` copies if that is due or a signal came.

        Ends the run if one came, or if the last save failed.
        """
        if self.directory is None:
            return
        self.journal.saver.check()
        if due or self.signals.asked:
            with self.clock("saving"):
                self.journal.save(take)
        if self.signals.asked:
            self.journal.saver.wait()
            raise self.signals.stopped(f"checkpoint-{self.journal.steps} is saved, continue with --resume")

    def close(self) -> None:
        """End the workers, wait for a checkpoint that is being written, and let others have the directory."""
        self.signals.close()
        for scorer in self._scorers.values():
            scorer.close()
        RENDERER.close()
        self.journal.close()

    def __enter__(self) -> Session:
        if self.directory is not None:
            self.signals.open()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and self.directory is not None:
            self.journal.saver.settle()
        self.close()
