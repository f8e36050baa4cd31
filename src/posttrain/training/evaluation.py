"""Evaluation on held-out prompts: before, during and after training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

from posttrain.core.method import Sampling
from posttrain.machine.kill_points import maybe_kill
from posttrain.records import Episode, Prompt
from posttrain.rewards.reward import Reward
from posttrain.runs.rounds import as_episodes, as_row
from posttrain.training.episodes import Names, episode, request
from posttrain.training.run import Run


@dataclass(frozen=True)
class Evaluation:
    """Answers to held-out prompts. `scores`: prompt id -> mean reward of its answers."""

    rollouts: list[Episode]
    scores: dict[int, float]

    @classmethod
    def of(cls, episodes: Sequence[Episode]) -> Evaluation:
        """Average the rewards over the answers to each prompt."""
        scores: dict[int, list[float]] = {}
        for e in episodes:
            if e.reward is not None:
                scores.setdefault(e.prompt.id, []).append(e.reward)
        return cls(list(episodes), {i: fmean(xs) for i, xs in scores.items()})

    @property
    def mean(self) -> float:
        """Mean reward over prompts; 0 if nothing was scored."""
        return fmean(self.scores.values()) if self.scores else 0.0


def sample(
    run: Run,
    prompts: Sequence[Prompt],
    sampling: Sampling,
    names: Names,
    *,
    author: int = 0,
    max_tokens: int | None = None,
) -> list[Episode]:
    """Answer prompts, all samples of a prompt side by side. The seed of each answer derives from `names`."""
    tokens = {p.id: run.encoder.prompt(p) for p in prompts}
    order = [(p, (author, k)) for p in prompts for k in range(sampling.samples)]
    requests = [request(run, p, tokens[p.id], sampling, names, key, max_tokens=max_tokens) for p, key in order]
    completions = run.generate(requests, sampling.mix)
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
) -> Evaluation:
    """Answer held-out prompts and score the answers, with the same seeds every time."""
    sampling = Sampling(samples=samples, temperature=temperature)
    answers = sample(run, prompts, sampling, ("evaluate",), max_tokens=max_tokens)
    return Evaluation.of(run.score(answers, rewards))


class Evaluations:
    """The evaluations of a run by name, as the run file's section `evaluate` asks for them."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.done: dict[str, Evaluation] = {}

    def due(self, step: int) -> bool:
        """Whether the run file asks for an evaluation after this training step."""
        section = self.run.file.evaluate
        return section is not None and section.every is not None and step > 0 and step % section.every == 0

    @cached_property
    def _prompts(self) -> list[Prompt]:
        """The held-out prompts, read once for all evaluations of a run."""
        assert self.run.file.evaluate is not None
        return [p for p in self.run.dataset(self.run.file.evaluate.data, "prompts") if isinstance(p, Prompt)]

    def now(self, name: str) -> Evaluation | None:
        """Evaluate the policy as it is and keep the result under a name; None if the run file has no `evaluate`."""
        section = self.run.file.evaluate
        if section is None:
            return None
        prompts = self._prompts

        def compute() -> list[Any]:
            evaluation = evaluate(
                self.run,
                prompts,
                self.run.rewards(),
                samples=section.samples,
                temperature=section.temperature,
                max_tokens=section.max_tokens,
            )
            return [as_row(e) for e in evaluation.rollouts]

        rows = self.run.journal.once(f"evaluations/{name.replace(' ', '-')}", compute)
        self.done[name] = Evaluation.of(as_episodes(rows, prompts))
        self.run.display.note(f"evaluation {name}: mean reward {self.done[name].mean:.3f} on {len(prompts)} prompts")
        return self.done[name]

    def recall(self, first: int, last: int) -> None:
        """Read the evaluations of an earlier attempt, from the training step after `first` up to `last`."""
        for step in range(first + 1, last + 1):
            if self.due(step):
                self.now(f"step {step}")

    def lines(self) -> list[str]:
        """Format one line per evaluation, for the model card."""
        return [f"- {n}: mean reward {e.mean:.4f} on {len(e.scores)} prompts" for n, e in self.done.items()]
