"""Evaluation on held-out data: before, during and after training."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

from posttrain.core.choice import Choice
from posttrain.core.decoder import Decoder
from posttrain.core.method import MAIN, Method, Sampling
from posttrain.data.dataset import Dataset
from posttrain.errors import ConfigError, RewardError
from posttrain.evaluation.suite_result import SuiteResult
from posttrain.machine.kill_points import maybe_kill
from posttrain.records import Episode, Prompt
from posttrain.rewards.reward import Reward
from posttrain.runs.rounds import as_episodes, as_row
from posttrain.search.search import Search
from posttrain.seeds import seed_for
from posttrain.training import measures
from posttrain.training.columns_read import by_method
from posttrain.training.episodes import Names, episode, request
from posttrain.training.estimates import Estimate
from posttrain.training.held_out import HeldOut, sources
from posttrain.training.playing import play
from posttrain.training.reranking import rerank
from posttrain.training.role_rewards import REWARD, model_score
from posttrain.training.run import Run
from posttrain.training.searching import searched
from posttrain.training.suites import Suites
from posttrain.training.trainer import Trainer

if TYPE_CHECKING:
    from posttrain.config.sections.data import Data

Tokens = Mapping[int, tuple[int, ...]]  # prompt id -> its tokens


@dataclass(frozen=True)
class Evaluation:
    """What a model was measured on: answers to held-out prompts, held-out records, or both.

    `scores`: prompt id -> mean reward of its answers, without the prompts of which no answer was scored.
    `measured`: loss and metrics on `records` held-out records, by name. `suites`: what it got on each suite.
    """

    rollouts: list[Episode]
    scores: dict[int, float]
    measured: Mapping[str, float] = field(default_factory=dict)
    records: int = 0
    suites: Mapping[str, SuiteResult] = field(default_factory=dict)

    @classmethod
    def of(
        cls, episodes: Sequence[Episode], measured: Mapping[str, float] | None = None, records: int = 0
    ) -> Evaluation:
        """Average the rewards over the answers to each prompt."""
        scores: dict[int, list[float]] = {}
        for e in episodes:
            if e.reward is not None:
                scores.setdefault(e.prompt.id, []).append(e.reward)
        return cls(list(episodes), {i: fmean(xs) for i, xs in scores.items()}, measured or {}, records)

    @property
    def mean(self) -> float | None:
        """Mean reward over the prompts that were scored; None if none was."""
        return fmean(self.scores.values()) if self.scores else None

    @property
    def reward(self) -> float:
        """The same mean; RewardError if no answer was scored."""
        if self.mean is None:
            raise RewardError(f"none of {len(self.rollouts)} answers was scored, so they have no mean reward")
        return self.mean

    @property
    def asked(self) -> int:
        """Number of prompts that were answered."""
        return len({e.prompt.id for e in self.rollouts})

    @property
    def metrics(self) -> dict[str, float]:
        """All numbers, under the names that they have in metrics.jsonl."""
        reward = {} if self.mean is None else {"reward": self.mean}
        suites = {f"{s}.{n}": x.mean for s, found in self.suites.items() for n, x in found.numbers.items()}
        return {f"eval/{name}": x for name, x in (reward | dict(self.measured) | suites).items()}

    def __str__(self) -> str:
        return "; ".join(self._lines()) or "nothing was measured"

    def _lines(self) -> Iterator[str]:
        if self.mean is not None:
            share = f"{len(self.scores)} of {self.asked}" if len(self.scores) < self.asked else self.asked
            yield f"mean reward {self.mean:.4g} on {share} prompts"
        elif self.rollouts:
            yield f"no answer to {self.asked} prompts was scored"
        if self.measured:
            yield f"{', '.join(f'{n} {x:.4g}' for n, x in self.measured.items())} on {self.records} records"
        yield from map(str, self.suites.values())


def sample(
    run: Run,
    prompts: Sequence[Prompt],
    sampling: Sampling,
    names: Names,
    *,
    author: int = 0,
    max_tokens: int | None = None,
    encoded: Tokens | None = None,
) -> list[Episode]:
    """Answer prompts, all samples of a prompt side by side. The seed of each answer derives from `names`.

    In a run with an environment each prompt begins an episode. `encoded`: the tokens of each prompt by its id, if they
    are known.
    """
    order = [(p, (author, k)) for p in prompts for k in range(sampling.samples)]
    if run.hosts is not None:
        played = play(run, run.hosts, [(p, key, names) for p, key in order], sampling, max_tokens=max_tokens)
        maybe_kill("sampling")
        return played
    if sampling.guide:
        raise ConfigError("a guide writes in the training of a method only; sample from its models one after the other")
    tokens = encoded or {p.id: run.encoder.prompt(p) for p in prompts}
    requests = [request(run, p, tokens[p.id], sampling, names, key, max_tokens=max_tokens) for p, key in order]
    completions = run.generate(requests, sampling.drawn_from)
    maybe_kill("sampling")
    return [episode(run, p, tokens[p.id], key, c) for (p, key), c in zip(order, completions, strict=True)]


def evaluate(
    run: Run,
    prompts: Sequence[Prompt],
    rewards: Sequence[Reward],
    *,
    samples: int = 1,
    temperature: float = 0.0,
    max_tokens: int | None = None,
    encoded: Tokens | None = None,
    decoder: Decoder | None = None,
    choice: Choice | None = None,
    by: Reward | None = None,
    search: tuple[Search, Estimate] | None = None,
) -> Evaluation:
    """Answer held-out prompts and score the answers, with the same seeds every time.

    `choice`: gives one of every n answers that are drawn, by the reward `by`, else by the reward model of the run.
    `search`: a strategy that grows a tree for each answer in their place, and what it asks for values.

    Without reward functions the reward model of the run scores them.
    """
    drawn = samples * (1 if choice is None else choice.n)
    sampling = Sampling(samples=drawn, temperature=temperature, decoder=decoder)
    if search is not None:
        answers = _found(run, prompts, *search, sampling, max_tokens)
    else:
        answers = sample(run, prompts, sampling, ("evaluate",), max_tokens=max_tokens, encoded=encoded)
    answers = answers if choice is None else rerank(run, answers, choice, by)
    if not rewards and REWARD in run.file.models:
        return Evaluation.of(measures.scored(run, answers, model_score))
    return Evaluation.of(run.score(answers, rewards))


def _found(
    run: Run, prompts: Sequence[Prompt], search: Search, estimate: Estimate, sampling: Sampling, limit: int | None
) -> list[Episode]:
    """Search for each answer in a tree of its own."""
    one = replace(sampling, samples=1)
    trees = [
        searched(run, prompts, search, estimate, name=f"evaluate-{k}", sampling=one, max_tokens=limit)
        for k in range(sampling.samples)
    ]
    return [replace(f.episode(f.best), sample=k) for own in zip(*trees, strict=True) for k, f in enumerate(own)]


class Evaluations:
    """The evaluations of a run by name, as the run file's section `evaluate` asks for them."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.done: dict[str, Evaluation] = {}
        self.read_before = False
        self.tried = False  # whether the evaluation before the training was made, or found missing
        self.chosen: str | None = None  # which of the evaluated weights were saved as final
        self.prompts: list[Prompt] = []
        self.tokens: Tokens = {}
        self.fingerprint = ""  # of the prompts
        self.records: Dataset | None = None
        self.held_out: HeldOut | None = None
        self.suites = Suites(run, run.file.evaluate.suites if run.file.evaluate else ())

    def read(self, method: Method | None) -> list[Dataset]:
        """Read the held-out data for a run of this method, or of a procedure (None). Returns what was read."""
        section, self.read_before = self.run.file.evaluate, True
        if section is None:
            return []
        asked, kept = sources(section, method, scored=bool(self.run.rewards()))
        prompts = None if asked is None else self._asked(self.run.dataset(asked, "prompts"))
        if kept is not None and method is not None:
            self.records = self._kept(kept, method)
        return [d for d in (prompts, self.records, *self.suites.questions) if d is not None]

    def _kept(self, source: Data, method: Method) -> Dataset:
        return self.run.dataset(source, method.streams[MAIN].kind.name, by_method(method))

    def _asked(self, prompts: Dataset) -> Dataset:
        if self.run.hosts is None:
            prompts, self.tokens = self.run.prompts(prompts)
        self.prompts, self.fingerprint = [p for p in prompts if isinstance(p, Prompt)], prompts.fingerprint
        return prompts

    def measure_with(self, trainer: Trainer, arriving: set[str]) -> None:
        """Measure the held-out records, if there are any, with the models and the method of this trainer."""
        if self.records is not None:
            batch = self.run.file.train.prompts_per_step
            self.held_out = HeldOut(self.run, trainer, self.records, batch=batch, arriving=arriving)
            self.records = self.held_out.records

    def due(self, step: int) -> bool:
        """Whether the run file asks for an evaluation after this training step."""
        section = self.run.file.evaluate
        return section is not None and section.every is not None and step > 0 and step % section.every == 0

    def before(self) -> None:
        """Evaluate the models that a run begins with, once; nothing in a session whose held-out data was not read."""
        if not self.read_before or self.tried:
            return
        self.tried = True
        if "before" not in self.done and self.now("before") is None and self.run.file.evaluate is not None:
            self.run.display.note("there is no evaluation before: the run began without this `evaluate`")

    def now(self, name: str) -> Evaluation | None:
        """Evaluate the models as they are and keep the result under a name.

        None if the run file has no `evaluate`, or had another one before the checkpoint that this run continues from.
        """
        if self.run.file.evaluate is None:
            return None
        if not self.read_before:
            self.read(None)
        count = 0 if self.records is None else len(self.records)
        made = self.run.journal.measured(f"evaluations/{name.replace(' ', '-')}", self._compute, self._identity())
        if made is None:
            return None
        first, *rows = made
        answered = Evaluation.of(as_episodes(rows, self.prompts), first["measured"], count)
        self.done[name] = replace(answered, suites=self.suites.now(name))
        self.run.display.note(f"evaluation {name}: {self.done[name]}")
        return self.done[name]

    def _identity(self) -> str:
        """Identify what is measured, so that a resumed run takes no evaluation of other data for its own."""
        file, section = self.run.file, self.run.file.evaluate
        assert section is not None
        settings = section.model_dump(include={"samples", "temperature", "max_tokens"})
        rewards = [r.model_dump() for r in file.rewards]
        records = "" if self.records is None else self.records.fingerprint
        played = [] if file.environment is None else [file.environment.model_dump()]
        read = json.dumps([settings, rewards, file.sampling.max_tokens, *played], sort_keys=True, default=str)
        return f"{seed_for(read, self.fingerprint, records):014x}"

    def _compute(self) -> list[Any]:
        section = self.run.file.evaluate
        assert section is not None
        measured = {} if self.held_out is None else self.held_out.measure()
        answers: list[Episode] = []
        if self.prompts:
            answers = evaluate(
                self.run,
                self.prompts,
                self.run.rewards(),
                samples=section.samples,
                temperature=section.temperature,
                max_tokens=section.max_tokens,
                encoded=self.tokens,
            ).rollouts
        return [{"measured": measured}, *(as_row(e) for e in answers)]

    def recall(self, first: int, last: int) -> None:
        """Read the evaluations of an earlier attempt, from the training step after `first` up to `last`."""
        for step in range(first + 1, last + 1):
            if self.due(step):
                self.now(f"step {step}")

    def lines(self) -> list[str]:
        """Format one line per evaluation, for the model card, and one that says which weights were saved."""
        chosen = [] if self.chosen is None else [f"- {self.chosen}"]
        return [f"- {name}: {evaluation}" for name, evaluation in self.done.items()] + chosen
