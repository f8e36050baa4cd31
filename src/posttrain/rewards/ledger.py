"""What came of one batch: a verdict for each reward and completion, and what they add up to."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

from posttrain.errors import ConfigError, RewardError
from posttrain.records import Episode
from posttrain.rewards.reward import Reward
from posttrain.rewards.workers.call import Call, Fault, Outcome, Scores, Verdict


class Ledger:
    """Filled call by call, in any order; what it says depends on the entries alone."""

    def __init__(self, rewards: Sequence[Reward], rollouts: Sequence[Episode]) -> None:
        self._rewards = rewards
        self._rollouts = rollouts
        self._verdicts: dict[str, list[Verdict]] = {r.name: [None] * len(rollouts) for r in rewards}
        self._watched: dict[str, dict[int, float]] = {}  # by the name of the curve, then by completion
        self._failed: set[int] = set()

    def enter(self, call: Call, outcome: Outcome) -> None:
        """Raises ConfigError for a fault of the set-up, RewardError where a function ends the run."""
        verdicts = [outcome] * len(call.items) if isinstance(outcome, Fault) else outcome
        for item, verdict in zip(call.items, verdicts, strict=True):
            self._verdicts[call.reward][item] = verdict
            if isinstance(verdict, Fault):
                if verdict.kind == "setup":
                    raise ConfigError(verdict.message)
                if verdict.kind == "stop":
                    raise RewardError(verdict.message)
                self._failed.add(item)

        for name, values in outcome.watched.items() if isinstance(outcome, Scores) else ():
            seen = {item: v for item, v in zip(call.items, values, strict=True) if v is not None}
            self._watched.setdefault(f"rewards/{call.reward}/{name}", {}).update(seen)

    def exceeds(self, rate: float) -> bool:
        """Whether too large a part of the batch has failed already."""
        return len(self._failed) > rate * len(self._rollouts)

    def rollouts(self) -> list[Episode]:
        return [
            replace(rollout, reward=self._total(i), rewards={r.name: self._score(r, i) for r in self._rewards})
            for i, rollout in enumerate(self._rollouts)
        ]

    def metrics(self) -> dict[str, float]:
        """Standard deviations are of the sample (n - 1), 0 for a single score. Without scores there is no mean."""
        found: dict[str, float] = {}
        if not self._rollouts:
            return found
        for reward in self._rewards:
            verdicts = self._verdicts[reward.name]
            scores = [v for v in verdicts if isinstance(v, float)]
            if scores:
                found[f"rewards/{reward.name}/mean"] = math.fsum(scores) / len(scores)
                found[f"rewards/{reward.name}/std"] = statistics.stdev(scores) if len(scores) > 1 else 0.0
            found[f"errors/reward_{reward.name}"] = float(sum(isinstance(v, Fault) for v in verdicts))
        for name, values in sorted(self._watched.items()):
            if values:
                found[name] = math.fsum(values.values()) / len(values)
        abstained = [i for i in range(len(self._rollouts)) if i not in self._failed and self._total(i) is None]
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
        prompt = self._rollouts[item].prompt
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
        return None if isinstance(verdict, Fault) else verdict

    def _total(self, item: int) -> float | None:
        """The weighted sum over the rewards that did not abstain. A reward of weight 0 only watches."""
        if item in self._failed:
            return None
        parts = [(r.weight, self._score(r, item)) for r in self._rewards if r.weight != 0]
        said = [weight * score for weight, score in parts if score is not None]
        return math.fsum(said) if said else None
