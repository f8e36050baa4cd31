"""What came of one batch: a verdict for each reward and completion, and what they add up to."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from posttrain.errors import ConfigError, RewardError
from posttrain.records import Episode, Span
from posttrain.rewards.credits import turn_credits
from posttrain.rewards.reward import Reward
from posttrain.rewards.verdicts import Spans, Turns
from posttrain.rewards.workers.call import Call, Fault
from posttrain.rewards.workers.outcome import Outcome, Scores, Verdict
from posttrain.turns import turn_ends


class Ledger:
    """Filled call by call, in any order; what it says depends on the entries alone."""

    def __init__(self, rewards: Sequence[Reward], episodes: Sequence[Episode]) -> None:
        self._rewards = rewards
        self._named = {r.name: r for r in rewards}
        self._episodes = episodes
        self._verdicts: dict[str, list[Verdict]] = {r.name: [None] * len(episodes) for r in rewards}
        self._watched: dict[str, dict[int, float]] = {}  # by the name of the curve, then by completion
        self._notes: dict[int, dict[str, Any]] = {}  # by completion
        self._failed: set[int] = set()

    def enter(self, call: Call, outcome: Outcome) -> None:
        """Raises ConfigError for a fault of the set-up, RewardError where a function ends the run."""
        verdicts = [outcome] * len(call.items) if isinstance(outcome, Fault) else outcome
        for item, given in zip(call.items, verdicts, strict=True):
            verdict = _fitting(self._named[call.reward], self._episodes[item], given)
            self._verdicts[call.reward][item] = verdict
            if isinstance(verdict, Fault):
                if verdict.kind == "setup":
                    raise ConfigError(verdict.message)
                if verdict.kind == "stop":
                    raise RewardError(verdict.message)
                self._failed.add(item)

        if isinstance(outcome, Scores):
            self._enter_extras(call, outcome)

    def _enter_extras(self, call: Call, scores: Scores) -> None:
        for name, values in scores.watched.items():
            seen = {item: v for item, v in zip(call.items, values, strict=True) if v is not None}
            self._watched.setdefault(f"rewards/{call.reward}/{name}", {}).update(seen)
        for name, values in scores.notes.items():
            for item, value in zip(call.items, values, strict=True):
                self._notes.setdefault(item, {})[f"{call.reward}/{name}"] = value

    def exceeds(self, rate: float) -> bool:
        """Whether too large a part of the batch has failed already."""
        return len(self._failed) > rate * len(self._episodes)

    def episodes(self) -> list[Episode]:
        """The episodes with their rewards: the weighted sum, each by name, and what was said of turns and spans."""
        return [self._scored(i, episode) for i, episode in enumerate(self._episodes)]

    def _scored(self, item: int, episode: Episode) -> Episode:
        verdicts = {r.name: self._verdicts[r.name][item] for r in self._rewards}
        turns = {name: v for name, v in verdicts.items() if isinstance(v, Turns)}
        spans = {name: tuple(Span(*s) for s in v) for name, v in verdicts.items() if isinstance(v, Spans)}
        return replace(
            episode,
            reward=self._total(item),
            rewards={r.name: self._score(r, item) for r in self._rewards},
            spans=spans,
            credits={name: turn_credits(episode, values) for name, values in turns.items()},
            notes={**episode.notes, **dict(sorted(self._notes.get(item, {}).items()))},
        )

    def metrics(self) -> dict[str, float]:
        """Standard deviations are of the sample (n - 1), 0 for a single score. Without scores there is no mean."""
        found: dict[str, float] = {}
        if not self._episodes:
            return found
        for reward in self._rewards:
            verdicts = self._verdicts[reward.name]
            scores = [x for i in range(len(verdicts)) if (x := self._score(reward, i)) is not None]
            if scores:
                found[f"rewards/{reward.name}/mean"] = math.fsum(scores) / len(scores)
                found[f"rewards/{reward.name}/std"] = statistics.stdev(scores) if len(scores) > 1 else 0.0
            found[f"errors/reward_{reward.name}"] = float(sum(isinstance(v, Fault) for v in verdicts))
        for name, values in sorted(self._watched.items()):
            if values:
                found[name] = math.fsum(values.values()) / len(values)
        abstained = [i for i in range(len(self._episodes)) if i not in self._failed and self._total(i) is None]
        return {**found, "errors/abstained": float(len(abstained))}

    def first_fault(self) -> Fault | None:
        """Of the reward that failed most, at the earliest completion."""
        faults = [v for v in self._verdicts[self._worst().name] if isinstance(v, Fault)]
        return faults[0] if faults else None

    def error(self, rate: float) -> RewardError:
        """The end of the run, in one message."""
        worst = self._worst()
        verdicts = self._verdicts[worst.name]
        count = sum(isinstance(v, Fault) for v in verdicts)
        item, fault = next((i, v) for i, v in enumerate(verdicts) if isinstance(v, Fault))
        prompt = self._episodes[item].prompt
        where = prompt.where or f"prompt {prompt.id}"
        return RewardError(
            f"reward {worst.name!r} ({worst.source}) failed on {count} of {len(verdicts)} completions, more than "
            f"max_error_rate={rate:g} allows; correct it, let it return None where it has no opinion, or raise the "
            f"rate. The first failure, at {where}: {fault.message}\n{fault.traceback}".rstrip()
        )

    def _worst(self) -> Reward:
        return max(self._rewards, key=lambda r: sum(isinstance(v, Fault) for v in self._verdicts[r.name]))

    def _score(self, reward: Reward, item: int) -> float | None:
        verdict = self._verdicts[reward.name][item]
        if isinstance(verdict, Turns | Spans):
            return verdict.total
        return None if isinstance(verdict, Fault) else verdict

    def _total(self, item: int) -> float | None:
        """The weighted sum over the rewards that did not abstain. A reward of weight 0 only watches."""
        if item in self._failed:
            return None
        parts = [(r.weight, self._score(r, item)) for r in self._rewards if r.weight != 0]
        said = [weight * score for weight, score in parts if score is not None]
        return math.fsum(said) if said else None


def _fitting(reward: Reward, episode: Episode, verdict: Verdict) -> Verdict:
    """The verdict, or the fault of one that speaks of turns or characters that the episode does not have.

    Spans count the characters of what the reward read, and then of the whole text.
    """
    turns = sum(bool(episode.segments[i].tokens) for i in turn_ends(episode))
    if isinstance(verdict, Turns) and len(verdict) != turns:
        message = f"reward {reward.name!r} returned {len(verdict)} numbers for an episode of {turns} turns"
        return Fault("result", message)
    if not isinstance(verdict, Spans):
        return verdict
    first, last = reward.passage.bounds(episode.text)
    if beyond := [s for s in verdict if s[1] > last - first]:
        start, end, _ = beyond[0]
        message = f"reward {reward.name!r} returned the span {start} to {end} of a text of {last - first} characters"
        return Fault("result", message)
    return Spans((first + start, first + end, value) for start, end, value in verdict)
