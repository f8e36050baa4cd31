"""What a partial answer is worth: what the verifier says of answers that are over, a model of those that are not.

An estimate takes nodes of trees and returns a number for each, or None where it has none. Where the verifier speaks, 1
is right and -1 is wrong, and so is an answer that was cut. A reward that failed is no number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from posttrain.core.method import Sampling
from posttrain.core.parts import Function, Part
from posttrain.records import Episode
from posttrain.rewards.reward import Reward
from posttrain.sampling.request import Completion, Request
from posttrain.search.found import Found
from posttrain.search.tree import ROOT
from posttrain.training import measures
from posttrain.training.episodes import episode, request
from posttrain.training.run import Run

Node = tuple[Found, int]
Estimate = Callable[[Run, Sequence[Node]], list[float | None]]


@dataclass(frozen=True)
class Verdict:
    """1 for an answer with a reward above `accepted`, -1 for another; None for one that is not over.

    `finished`: whether an answer that was cut is wrong, whatever its reward.
    """

    rewards: tuple[Reward, ...]
    accepted: float = 0.0
    finished: bool = True

    def __call__(self, run: Run, nodes: Sequence[Node]) -> list[float | None]:
        over = [f.tree.over(n) for f, n in nodes]
        said = iter(self.of(run, [f.episode(n) for (f, n), o in zip(nodes, over, strict=True) if o]))
        return [next(said) if o else None for o in over]

    def of(self, run: Run, answers: Sequence[Episode]) -> list[float | None]:
        """Return the verdict on each answer; None where its rewards failed or abstained."""
        judged = [e.ended or not self.finished for e in answers]
        asked = [e for e, j in zip(answers, judged, strict=True) if j]
        scored = iter(run.score(asked, self.rewards) if asked else ())
        return [self._verdict(next(scored)) if j else -1.0 for j in judged]

    def _verdict(self, e: Episode) -> float | None:
        return None if e.reward is None else 1.0 if e.reward > self.accepted else -1.0


@dataclass(frozen=True)
class Modelled:
    """A part that models compute of the last step, behind all before it: a value head, a reward model.

    None for the prompt, behind which there is no step.
    """

    part: Part | Function

    def __call__(self, run: Run, nodes: Sequence[Node]) -> list[float | None]:
        steps = [f.last_step(n) for f, n in nodes if n != ROOT]
        values = iter(measures.scored(run, steps, self.part) if steps else ())
        return [None if n == ROOT else next(values).reward for _, n in nodes]


@dataclass(frozen=True)
class Rollouts:
    """The mean verdict on completions of an answer that is not over; None for one that is."""

    verdict: Verdict
    sampling: Sampling
    name: str

    def __call__(self, run: Run, nodes: Sequence[Node]) -> list[float | None]:
        open_ = [i for i, (f, n) in enumerate(nodes) if not f.tree.over(n)]
        places = [(i, k) for i in open_ for k in range(self.sampling.samples)]
        requests = [self._request(run, nodes[i], k) for i, k in places]
        ends = run.generate(requests, self.sampling.drawn_from) if requests else []
        whole = [self._whole(run, nodes[i], k, end) for (i, k), end in zip(places, ends, strict=True)]
        said: dict[int, list[float]] = {}
        for (i, _), x in zip(places, self.verdict.of(run, whole), strict=True):
            said.setdefault(i, []).extend([] if x is None else [x])
        return [fmean(said[i]) if said.get(i) else None for i in range(len(nodes))]

    def _request(self, run: Run, node: Node, k: int) -> Request:
        f, n = node
        names, before = (self.name, "rollout", n), f.before(n)
        return request(run, f.prompt, f.asked, self.sampling, names, (0, k), before=before, max_tokens=f.limit)

    def _whole(self, run: Run, node: Node, k: int, end: Completion) -> Episode:
        f, n = node
        before = f.episode(n).segments if n != ROOT else f.forced
        return episode(run, f.prompt, f.asked, (0, k), end, before=before)


@dataclass(frozen=True)
class Judged:
    """The verdict on answers that are over, and of others what another estimate says."""

    verdict: Verdict
    others: Rollouts | Modelled

    def __call__(self, run: Run, nodes: Sequence[Node]) -> list[float | None]:
        found = self.verdict(run, nodes)
        open_ = [i for i, (f, n) in enumerate(nodes) if not f.tree.over(n)]
        for i, x in zip(open_, self.others(run, [nodes[i] for i in open_]) if open_ else (), strict=True):
            found[i] = x
        return found
