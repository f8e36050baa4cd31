"""Rollouts in, the same rollouts with their rewards out."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from types import TracebackType
from typing import Any, Self

from posttrain.errors import ConfigError, DataError
from posttrain.records import Episode
from posttrain.rewards.ledger import Ledger
from posttrain.rewards.reward import Reward
from posttrain.rewards.workers import inline
from posttrain.rewards.workers.background import BackgroundCalls
from posttrain.rewards.workers.call import Call, Fault, Outcome
from posttrain.rewards.workers.pool import Pool
from posttrain.turns import conversation, last_user_message

Score = Callable[[Sequence[Episode]], list[Episode]]
"""Whatever fills `reward`: a Scorer, a reward model, a judge that compares answers in pairs."""

_log = logging.getLogger(__name__)
_Key = tuple[str, tuple[int, ...]]  # a reward, and the rollouts that it scores by identity


def _key(call: Call, rollouts: Sequence[Episode]) -> _Key:
    return call.reward, tuple(id(rollouts[i]) for i in call.items)


class Scorer:
    """Runs reward functions in killable processes: one call for all completions of a prompt.

    `timeout` is for one call, in seconds. When a call raises, dies or hangs, its completions are tried one by one,
    so that only those that fail are lost. Scores do not depend on the number of workers. When the part of a batch
    that failed is larger than `max_error_rate`, `score` raises RewardError.
    """

    def __init__(
        self,
        rewards: Sequence[Reward],
        *,
        workers: int = 2,
        timeout: float = 10.0,
        max_error_rate: float = 0.05,
    ) -> None:
        _check(rewards, workers, timeout, max_error_rate)
        self.rewards = tuple(rewards)
        self._timeout = timeout
        self._max_error_rate = max_error_rate
        self._pool = Pool(workers)
        self._ahead = BackgroundCalls(self._pool, timeout)
        self._started: dict[_Key, Sequence[Episode]] = {}  # held, so that nothing else gets their ids
        self._lock = threading.Lock()
        self._metrics: dict[str, float] = {}

    def score(self, rollouts: Sequence[Episode]) -> list[Episode]:
        """New records in the same order, with `reward` (the weighted sum) and `rewards` (each by name).

        `reward` is None where every reward abstained or any failed. A conversation's prompt is given to the
        functions as the text of its last user message (as `conversations`: whole, with the answer at the end). Raises
        DataError for a column that is missing.
        """
        with self._lock:
            ledger = Ledger(self.rewards, rollouts)
            each = [reward for reward in self.rewards if not reward.whole_batch]
            calls = [self._call(reward, items, rollouts) for items in _groups(rollouts) for reward in each]
            own = deque(call for call in calls if not isinstance(call.function, str))
            self._ahead.wait()
            known = {call: x for call in calls if (x := self._outcome(call, rollouts)) is not None}
            pooled = deque(call for call in calls if isinstance(call.function, str) and call not in known)
            self._empty(pooled, (item for item in known.items()), ledger)
            self._empty(pooled, self._pool.run(pooled, self._timeout), ledger)
            self._empty(own, inline.run(own, self._timeout), ledger)
            whole = deque(self._call(r, range(len(rollouts)), rollouts) for r in self.rewards if r.whole_batch)
            self._empty(whole, inline.run(whole, timeout=None), ledger)
            self._metrics = ledger.metrics()
            if fault := ledger.first_fault():
                _log.warning("%s\n%s", fault.message, fault.traceback)
            return ledger.episodes()

    def start(self, rollouts: Sequence[Episode]) -> None:
        """Score all answers to some prompts while others are still being written. Nothing comes back: `score` finds
        what is known of these very objects, and its results are the same without it."""
        with self._lock:
            for items in _groups(rollouts):
                for reward in self.rewards:
                    if isinstance(reward.function, str):
                        call = self._call(reward, items, rollouts)
                        key = _key(call, rollouts)
                        self._started[key] = [rollouts[i] for i in items]
                        self._ahead.add(key, call)

    def _outcome(self, call: Call, rollouts: Sequence[Episode]) -> Outcome | None:
        key = _key(call, rollouts)
        self._started.pop(key, None)
        return self._ahead.pop(key)

    def metrics(self) -> dict[str, float]:
        """Of the last batch: `rewards/NAME/mean` and `/std`, `errors/reward_NAME` and `errors/abstained` (counts)."""
        return dict(self._metrics)

    def close(self) -> None:
        """End the workers and what they started."""
        with self._lock:
            self._ahead.close()
            self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _empty(self, queue: deque[Call], outcomes: Generator[tuple[Call, Outcome], None, None], ledger: Ledger) -> None:
        """Enter the outcomes; a call that failed as a whole comes again at once, completion by completion."""
        with closing(outcomes):
            for call, outcome in outcomes:
                if isinstance(outcome, Fault) and outcome.lies_in_an_item and len(call.items) > 1:
                    queue.extendleft(reversed(call.split()))
                    continue
                ledger.enter(call, outcome)
                if ledger.exceeds(self._max_error_rate):
                    raise ledger.error(self._max_error_rate)

    def _call(self, reward: Reward, items: Sequence[int], rollouts: Sequence[Episode]) -> Call:
        chosen = [rollouts[i] for i in items]
        arguments: dict[str, list[Any]] = {"completions": [r.text for r in chosen]}
        if reward.reads.prompts:
            arguments["prompts"] = [last_user_message(r.prompt.prompt) for r in chosen]
        if reward.reads.conversations:
            arguments["conversations"] = [conversation(r.prompt.prompt, r.text) for r in chosen]
        present = dict.fromkeys(name for r in chosen for name in r.prompt.columns if reward.reads.chooses(name))
        for name in dict.fromkeys((*reward.reads.required, *present)):
            arguments[name] = [_column(reward, r, name) for r in chosen]
        return Call(reward.name, reward.function, reward.settings, arguments, tuple(items))


def _groups(rollouts: Sequence[Episode]) -> list[tuple[int, ...]]:
    """The completions of each prompt, by position."""
    groups: dict[int, list[int]] = {}
    for i, rollout in enumerate(rollouts):
        groups.setdefault(rollout.prompt.id, []).append(i)
    return [tuple(items) for items in groups.values()]


def _column(reward: Reward, rollout: Episode, name: str) -> Any:
    """A column that the function can do without is None where a row lacks it."""
    prompt = rollout.prompt
    if name not in prompt.columns and name in reward.reads.required:
        raise DataError(
            f"{prompt.where or f'prompt {prompt.id}'}: {name!r} is missing; reward {reward.name!r} reads it "
            "(null where it should abstain)"
        )
    return prompt.columns.get(name)


def _check(rewards: Sequence[Reward], workers: int, timeout: float, max_error_rate: float) -> None:
    if not rewards:
        raise ConfigError("a scorer needs at least one reward")
    twice = [name for name, count in Counter(r.name for r in rewards).items() if count > 1]
    if twice:
        raise ConfigError(f"two rewards are called {twice[0]!r}; give one of them another `name`")
    if all(r.weight == 0 for r in rewards):
        raise ConfigError("every reward has weight 0, so that nothing could be learned; give one another weight")
    if workers < 1:
        raise ConfigError(f"workers is {workers}, but rewards need at least 1 process")
    if not timeout > 0:
        raise ConfigError(f"timeout is {timeout}, but must be more than 0 seconds")
    if not 0 <= max_error_rate <= 1:
        raise ConfigError(f"max_error_rate is {max_error_rate}, but is a part between 0 and 1")
