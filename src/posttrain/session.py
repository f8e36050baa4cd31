"""The verbs that procedures use: train, sample, score, evaluate, copy, save.

A session holds the backend, the encoder, the settings and the run directory. Every verb that changes a model has
a number; a checkpoint remembers the number, so that a resumed procedure passes over what is done.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from posttrain import catalogue
from posttrain.backend import Backend
from posttrain.config.load import check
from posttrain.data.dataset import Dataset, load
from posttrain.data.encode import Encoder
from posttrain.errors import ConfigError
from posttrain.method import MAIN, Method, Sampling
from posttrain.records import Prompt, Rollout
from posttrain.rewards.reward import Reward, resolve
from posttrain.rewards.scorer import Scorer
from posttrain.runs.checkpoint import Checkpoints
from posttrain.runs.directory import RunDirectory
from posttrain.runs.display import Display
from posttrain.runs.metrics import MetricsWriter
from posttrain.runs.samples import SamplesWriter
from posttrain.runs.state import read_state, write_state
from posttrain.sampling.request import Request
from posttrain.seeds import seed_for
from posttrain.settings import configure
from posttrain.stage import Stage

if TYPE_CHECKING:
    from posttrain.config.schema import Data, RunFile, Train

STATE = "trainer_state"
Sources = Mapping[str, Dataset]


@dataclass(frozen=True)
class Evaluation:
    """Answers to held-out prompts. `scores` [prompts] is the mean reward of each prompt's answers."""

    rollouts: list[Rollout]
    scores: dict[int, float]

    @property
    def mean(self) -> float:
        return fmean(self.scores.values()) if self.scores else 0.0


class Clock:
    """Seconds spent in each part of a step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - start

    def read(self) -> dict[str, float]:
        seconds, self.seconds = self.seconds, {}
        return {f"time/{name}": s for name, s in seconds.items()}


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
        rollouts = self.score(asked, rewards)
        scores: dict[int, list[float]] = {}
        for r in rollouts:
            if r.reward is not None:
                scores.setdefault(r.prompt.id, []).append(r.reward)
        return Evaluation(rollouts, {i: fmean(xs) for i, xs in scores.items()})

    def copy(self, source: str, target: str) -> None:
        """Give one role the weights of another, as they are now."""
        verb = len(self.finished)
        if self._done(verb):
            self._pass(verb)
            return
        self.backend.copy(source, target)
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
        self.evaluations[name] = self.evaluate(
            prompts, samples=e.samples, temperature=e.temperature, max_tokens=e.max_tokens
        )
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
            own = {"global_step": self.steps, "finished": list(self.finished)}
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
