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

from posttrain import catalogue
from posttrain.backend import Backend
from posttrain.config.load import check
from posttrain.data.collate import collate, paired, rollout_row
from posttrain.data.dataset import Dataset, load
from posttrain.data.encode import Encoder
from posttrain.errors import ConfigError
from posttrain.method import MAIN, Method, Sampling
from posttrain.parts import Function, Part, as_part
from posttrain.records import Pair, Prompt, Record, Rollout, kind_of
from posttrain.rewards.reward import Reward, resolve
from posttrain.rewards.scorer import Scorer
from posttrain.runs.checkpoint import Checkpoints
from posttrain.runs.clock import Clock
from posttrain.runs.directory import RunDirectory
from posttrain.runs.display import Display
from posttrain.runs.kept import as_rollouts, as_row, read_rows, write_rows
from posttrain.runs.metrics import MetricsWriter
from posttrain.runs.samples import SamplesWriter
from posttrain.runs.state import read_state, write_state
from posttrain.sampling.request import Request
from posttrain.seeds import seed_for
from posttrain.settings import configure
from posttrain.stage import Stage, with_opponents
from posttrain.tensors import FIELDS, Batch

if TYPE_CHECKING:
    from posttrain.config.schema import Data, RunFile, Train

STATE = "trainer_state"
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
    """What a run has at hand. Without a directory nothing is written; `resume` continues its newest checkpoint."""

    def __init__(
        self,
        run: RunFile,
        backend: Backend,
        encoder: Encoder,
        *,
        directory: RunDirectory | None = None,
        display: Display | None = None,
        resume: bool = False,
        functions: tuple[Reward, ...] = (),
    ) -> None:
        self.run, self.backend, self.encoder, self.functions = run, backend, encoder, functions
        self.display, self.directory, self.clock = display or Display(), directory, Clock()
        self.steps = 0  # of all stages so far
        self.started = time.monotonic()
        self.role = "policy"  # the model that the last stage was about
        self.evaluations: dict[str, Evaluation] = {}
        self.finished: list[int] = []  # steps of every verb that is done
        self.kept: list[str] = []  # names of what was collected, measured and evaluated
        self.saved: dict[str, Any] | None = None
        self._scorers: dict[tuple[Reward, ...], Scorer] = {}
        if directory is not None:
            self.metrics = MetricsWriter(directory.metrics)
            self.samples = SamplesWriter(directory.samples)
            self.checkpoints = Checkpoints(directory.path, keep=run.train.keep)
            if resume:
                self._resume()

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
        verb = len(self.finished)
        stage = Stage(
            self,
            configure(method, settings or {}),
            data if isinstance(data, Mapping) else {MAIN: data},
            rewards=self.rewards() if rewards is None else rewards,
            train=self._section(train),
            name=f"{verb}-{method.name}",
        )
        if self._done(verb):
            stage.skip()
            self.role = stage.role
            self._pass(verb)
            return {}
        metrics = stage.run()
        self.role = stage.role
        self.finished.append(stage.total)
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
        sampling = self.run.sampling
        order = [(p, k) for p in prompts for k in range(how.samples)]
        requests = [
            Request(
                prompt=tokens[p.id],
                seed=seed_for(self.run.seed, "rollout", *names, p.id, author, k),
                max_tokens=max_tokens or sampling.max_tokens,
                temperature=how.temperature,
                top_k=sampling.top_k,
                top_p=sampling.top_p,
            )
            for p, k in order
        ]
        completions = self.backend.generate(requests, how.mix)
        return [
            Rollout(p, author, k, tokens[p.id], c.tokens, c.logp, c.ended, text=self.encoder.text(c.tokens))
            for (p, k), c in zip(order, completions, strict=True)
        ]

    def score(self, rollouts: Sequence[Rollout], rewards: Sequence[Reward] | None = None) -> list[Rollout]:
        """The same answers with their rewards. A failed reward leaves None, never a number."""
        chosen = tuple(self.rewards() if rewards is None else rewards)
        return self.scorer(chosen).score(rollouts) if chosen else list(rollouts)

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

        rollouts = as_rollouts(self._once(f"rounds/{name}", make), asked)
        mean = Evaluation.of(rollouts).mean
        self.display.note(f"{name}: {len(rollouts)} answers to {len(asked)} prompts, mean reward {mean:.3f}")
        return rollouts

    def measure(self, name: str, records: Sequence[Record], part: Part | Function) -> list[float]:
        """What a part says of each record, or pair, by the models as they are now; kept like what is collected."""

        def make() -> list[Any]:
            rows = [row for r in records for row in self.encoder.rows(r, kind_of(r))]
            return self._said(paired(rows) if isinstance(records[0], Pair) else collate(rows), part)

        return [float(x) for x in self._once(f"rounds/{name}", make)]

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
        verb = len(self.finished)
        self.backend.copy(source, target, share)  # even of a verb that is done: the checkpoint fills the roles it made
        if self._done(verb):
            self._pass(verb)
        else:
            self.finished.append(0)

    def save(self, role: str, folder: Path | None = None) -> Path:
        """Write a model that plain transformers opens, into the run directory's `final` unless told otherwise."""
        if folder is None and self.directory is None:
            raise ConfigError("save needs a folder: this session has no run directory")
        target = folder or self.directory.final  # type: ignore[union-attr]
        target.mkdir(parents=True, exist_ok=True)
        self.backend.save(role, target)
        return target

    # ---- what the verbs share

    def dataset(self, source: Data, kind: str) -> Dataset:
        """Load records as the run file describes them."""
        return load(
            source.path,
            kind,
            columns=source.columns,
            answer_after=source.answer_after,
            size=source.size,
            chat=source.chat,
        )

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
            rows = [rollout_row(r, train=True, temperature=1.0, step=self.steps) for r in rollouts]
            scores = self._said(collate(rows), rewards)
            return [replace(r, reward=s) for r, s in zip(rollouts, scores, strict=True)]
        if rewards is None and not self.rewards():
            raise ConfigError("the answers must be scored, and the run file names no `rewards`; add rewards: [...]")
        return self.score(rollouts, rewards)

    def _said(self, batch: Batch, part: Part | Function) -> list[float]:
        """The values of a part, one a row or pair."""
        whole = as_part(part)
        sources = {n: FIELDS[n].source for n in sorted(whole.needs)}
        made = self.backend.forward(batch, {n: s for n, s in sources.items() if s is not None})
        return [float(x) for x in whole(batch.add(made, {n: FIELDS[n].axes for n in made}))]

    def _once(self, name: str, make: Callable[[], list[Any]]) -> list[Any]:
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

        kept = self._once(f"evaluations/{name.replace(' ', '-')}", make)
        self.evaluations[name] = Evaluation.of(as_rollouts(kept, prompts))
        self.display.note(f"evaluation {name}: mean reward {self.evaluations[name].mean:.3f} on {len(prompts)} prompts")
        return self.evaluations[name]

    def evaluations_as_text(self) -> list[str]:
        """One line per evaluation, for the model card."""
        return [f"- {n}: mean reward {e.mean:.4f} on {len(e.scores)} prompts" for n, e in self.evaluations.items()]

    def rewards(self) -> tuple[Reward, ...]:
        """The rewards of the run file, and the functions that were given in Python."""
        named = ({"path": r.path, "weight": r.weight, **r.settings} for r in self.run.rewards)
        return (*(resolve(r) for r in named), *self.functions)

    def scorer(self, rewards: tuple[Reward, ...]) -> Scorer:
        if rewards not in self._scorers:
            s = self.run.scoring
            self._scorers[rewards] = Scorer(
                rewards, workers=s.workers, timeout=s.timeout, max_error_rate=s.max_error_rate
            )
        return self._scorers[rewards]

    def close(self) -> None:
        for scorer in self._scorers.values():
            scorer.close()
        if self.directory is not None:
            self.metrics.close()
            self.directory.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- checkpoints

    def checkpoint(self, state: Mapping[str, Any], role: str) -> None:
        """Save everything that the next step depends on, and the model as such."""
        if self.directory is None:
            return
        self.metrics.sync()
        with self.checkpoints.writing(self.steps) as folder:
            self.backend.save(role, folder)
            own = {"global_step": self.steps, "finished": list(self.finished), "kept": list(self.kept)}
            write_state(folder, STATE, {**own, **state})

    def _resume(self) -> None:
        newest = self.checkpoints.newest()
        if newest is None:
            self.display.note("nothing to resume: no complete checkpoint, starting from the beginning")
            step = 0
        else:
            self.display.note(f"resuming from {newest}")
            self.saved = read_state(newest, STATE)
            step = int(self.saved["global_step"])
        self.metrics.truncate_after(step)
        self.samples.truncate_after(step)
        self.checkpoints.truncate_after(step)

    def _done(self, verb: int) -> bool:
        return self.saved is not None and len(self.saved["finished"]) > verb

    def _pass(self, verb: int) -> None:
        assert self.saved is not None
        done = int(self.saved["finished"][verb])
        self.finished.append(done)
        self.steps += done
