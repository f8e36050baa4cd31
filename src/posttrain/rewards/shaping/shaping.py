"""From the scores of named rewards to the one reward that is trained on.

    r = f(g(w_1 f_1(r_1), w_2 f_2(r_2), ...))

f_k are the transforms of each reward, g is `scoring.combine`, f `scoring.transform`. Rewards of weight 0 only watch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from statistics import fmean
from typing import Any

from posttrain.errors import ConfigError
from posttrain.records import Episode, Span
from posttrain.rewards.credits import Ends, turn_credits, turn_values, with_credits, with_dense
from posttrain.rewards.reward import Reward
from posttrain.rewards.shaping.chain import Answers, Chain, Scores
from posttrain.rewards.shaping.transform import Transform, finite, transform

Baselines = Mapping[int, Mapping[str, Sequence[float]]]  # by prompt, then by reward
RESULT = "the reward"


class Shaping:
    """Shapes the rewards of one stream, batch after batch. Raises ConfigError for transforms that cannot be."""

    def __init__(
        self, rewards: Sequence[Reward], *, combine: Transform | None = None, result: Sequence[Transform] = ()
    ) -> None:
        self.weights = {r.name: r.weight for r in rewards}
        self.chains = {r.name: Chain(r.name, r.transform) for r in rewards if r.transform}
        self.combine = combine or transform("weighted_sum", "combine")
        self.result = Chain(RESULT, result)
        if self.result.needs_baseline:
            raise ConfigError("scoring.transform: baseline answers are compared with reward by reward; move it there")
        by = self.combine.settings.get("by")
        if by is not None and not self.weights.get(by):
            raise ConfigError(
                f"scoring.combine: by={by!r} is no reward with a weight; rewards {', '.join(self.weights)}"
            )
        self._metrics: dict[str, float] = {}

    @property
    def needs_baseline(self) -> bool:
        """Whether a transform compares with the baseline answers."""
        return any(chain.needs_baseline for chain in self.chains.values())

    @property
    def learns(self) -> bool:
        """Whether a transform has a state that goes from batch to batch."""
        return self.result.learns or any(chain.learns for chain in self.chains.values())

    def __call__(self, episodes: Sequence[Episode], ends_of: Ends, baselines: Baselines | None = None) -> list[Episode]:
        """The episodes with what is trained on: `shaped` by name, `reward`, and the dense reward of each token."""
        shaped = self._shaped(episodes, baselines or {})
        counted = [self._counted(e) for e in shaped]
        totals: Scores = [math.fsum(c.values()) if c else None for c in counted]
        totals = self.result(totals, _answers(episodes, None))
        self._measure(shaped, counted)
        made = (replace(e, reward=total) for e, total in zip(shaped, totals, strict=True))
        placed = (with_credits(e, ends_of) for e in made)
        return [with_dense(e, {n: self.weights[n] for n in c if n}) for e, c in zip(placed, counted, strict=True)]

    def _shaped(self, episodes: Sequence[Episode], baselines: Baselines) -> list[Episode]:
        made = list(episodes)
        for name, chain in self.chains.items():
            judged = [name in e.spans or name in e.credits for e in made]
            made = [_in_parts(e, name, chain) if parts else e for e, parts in zip(made, judged, strict=True)]
            whole = [None if parts else e.rewards[name] for e, parts in zip(made, judged, strict=True)]
            known = [baselines.get(e.prompt.id, {}).get(name, ()) for e in episodes]
            scores = chain(whole, _answers(episodes, known))
            made = [
                e if parts else replace(e, shaped={**e.shaped, name: x})
                for e, parts, x in zip(made, judged, scores, strict=True)
            ]
        return made

    def _counted(self, e: Episode) -> dict[str, float]:
        """What each reward adds to the total; under "" what is no sum. Empty without a reward."""
        said = {n: x for n, x in (dict(e.rewards) | dict(e.shaped)).items() if x is not None and self.weights.get(n)}
        if e.reward is None or not said:
            return {}
        scores = {n: self.weights[n] * x for n, x in said.items()}
        found = self.combine(*({"scores": scores, "unweighted": said}[name] for name in self.combine.sees))
        if isinstance(found, Mapping):
            return dict(found)
        return {"": finite(found, f"scoring.combine {self.combine}")}

    def _measure(self, episodes: Sequence[Episode], counted: Sequence[Mapping[str, float]]) -> None:
        self._metrics = {}
        for name in self.chains:
            if known := [x for e in episodes if (x := e.shaped.get(name)) is not None]:
                self._metrics[f"rewards/{name}/shaped"] = fmean(known)
        scored = [c for c in counted if c and "" not in c]
        if self.combine.name != "weighted_sum" and scored:
            for name in (n for n, weight in self.weights.items() if weight):
                self._metrics[f"rewards/{name}/counted"] = fmean(name in c for c in scored)

        by = self.combine.settings.get("by")
        for name in [n for n, weight in self.weights.items() if by is not None and weight and n != by]:
            if (share := inconsistency(episodes, name, str(by))) is not None:
                self._metrics[f"rewards/{name}/inconsistent"] = share

    def metrics(self) -> dict[str, float]:
        """Of the last batch: `rewards/NAME/shaped`, the mean after the transforms, and how often it `counted`.

        Beside a reward that decides: how often NAME is `inconsistent` with it.
        """
        return dict(self._metrics)

    def state(self) -> dict[str, Any]:
        """Return the states of the transforms as plain data."""
        chains = {"": self.result, **self.chains}
        return {name: {str(place): x for place, x in c.state.items()} for name, c in chains.items() if c.state}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        for name, chain in {"": self.result, **self.chains}.items():
            chain.state = {int(place): x for place, x in saved.get(name, {}).items()}

    @property
    def plain(self) -> bool:
        """Whether the reward is the weighted sum of the scores as they are."""
        return not self.chains and not self.result.transforms and self.combine.name == "weighted_sum"

    def __str__(self) -> str:
        """The formula of the reward, with the names of the run file."""
        parts = [f"{w:g} {self.chains.get(n, n)}" for n, w in self.weights.items() if w]
        if self.combine.name == "weighted_sum":
            total = " + ".join(parts)
        else:
            settings = [f"{key}={value}" for key, value in self.combine.settings.items()]
            total = f"{self.combine.name}({', '.join([*parts, *settings])})"
        return str(self.result).replace(RESULT, total)


def inconsistency(episodes: Sequence[Episode], aspect: str, holistic: str) -> float | None:
    """The share of pairs of answers to a prompt that an aspect orders otherwise than the holistic reward (ALaRM).

    None without a pair that both order. ALaRM keeps the aspects for which it is lowest.
    """
    known = [(e.prompt.id, e.rewards[aspect], e.rewards[holistic]) for e in episodes]
    gaps = [
        ((a or 0) - (b or 0)) * ((x or 0) - (y or 0))
        for (p, a, x), (q, b, y) in combinations(known, 2)
        if p == q and None not in (a, b, x, y)
    ]
    ordered = [gap for gap in gaps if gap]
    return sum(gap < 0 for gap in ordered) / len(ordered) if ordered else None


def _answers(episodes: Sequence[Episode], baselines: Sequence[Sequence[float]] | None) -> Answers:
    groups: dict[int, list[int]] = {}
    for i, e in enumerate(episodes):
        groups.setdefault(e.prompt.id, []).append(i)
    tokens, texts = [len(e.tokens) for e in episodes], [e.text for e in episodes]
    return Answers(list(groups.values()), tokens, texts, [e.ended for e in episodes], baselines)


def _in_parts(e: Episode, name: str, chain: Chain) -> Episode:
    """Transform what a reward said of each span or turn; its score is their sum."""
    if name in e.spans:
        spans = tuple(Span(s.start, s.end, chain.part(s.value)) for s in e.spans[name])
        total = math.fsum(s.value for s in spans)
        return replace(e, spans={**e.spans, name: spans}, shaped={**e.shaped, name: total})
    values = [chain.part(x) for x in turn_values(e, e.credits[name])]
    at_tokens = {**e.credits, name: turn_credits(e, values)}
    return replace(e, credits=at_tokens, shaped={**e.shaped, name: math.fsum(values)})
