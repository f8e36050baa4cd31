"""Rollouts in, the same rollouts with their rewards out."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Any, Self

from posttrain.errors import ConfigError
from posttrain.records import Episode
from posttrain.rewards.arguments import arguments
from posttrain.rewards.construct import make
from posttrain.rewards.ledger import Ledger
from posttrain.rewards.lookup import load, stands_alone
from posttrain.rewards.reward import Reward
from posttrain.rewards.workers import inline
from posttrain.rewards.workers.background import BackgroundCalls
from posttrain.rewards.workers.call import Call, Fault
from posttrain.rewards.workers.children import Fork, can_fork
from posttrain.rewards.workers.outcome import Outcome
from posttrain.rewards.workers.pool import Pool
from posttrain.rewards.workers.printed import Printed

Score = Callable[[Sequence[Episode]], list[Episode]]
"""Whatever fills `reward`: a Scorer, a reward model, a judge that compares answers in pairs."""

_SLOW = 1.0  # seconds of a batch
_PLACES = ("process", "fork", "here", "whole batch")

_log = logging.getLogger(__name__)
_Items = tuple[int, ...]
_Key = tuple[str, tuple[int, ...]]  # a reward, and the rollouts that it scores by identity


def _key(call: Call, rollouts: Sequence[Episode]) -> _Key:
    return call.reward, tuple(id(rollouts[i]) for i in call.items)


class Scorer:
    """Runs reward functions in killable processes: one call for all completions of a prompt.

    Functions that can be imported run in fresh processes; other functions without a closure (those of a script, of a
    notebook, lambdas) in forks of this one, which are made now; all others here, one call at a time. `workers`: the
    number of processes of each kind; with 0 everything runs here. An async function gets all prompts at once.

    `timeout` is for one call, in seconds. When a call raises, dies or hangs, its completions are tried one by one,
    so that only those that fail are lost. Scores do not depend on the number of workers. When the part of a batch
    that failed is larger than `max_error_rate`, `score` raises RewardError. `on_print` gets what functions printed.
    """

    def __init__(
        self,
        rewards: Sequence[Reward],
        *,
        workers: int = 2,
        timeout: float = 10.0,
        max_error_rate: float = 0.05,
        on_print: Callable[[Sequence[Printed]], None] | None = None,
    ) -> None:
        _check(rewards, workers, timeout, max_error_rate)
        self.rewards = tuple(rewards)
        self.state: Mapping[str, Any] = MappingProxyType({"global_step": 0})  # what `trainer_state` says
        self._workers = workers
        self._warned = False
        self._timeout = timeout
        self._max_error_rate = max_error_rate
        self._on_print = on_print
        self._places = {r.name: _place(r, workers) for r in rewards}
        here = [r for r in rewards if self._places[r.name] not in ("process", "fork") and isinstance(r.function, str)]
        self._made = {r.name: make(r.name, load(str(r.function)), r.settings) for r in here}
        self._pool = Pool(max(1, workers))
        forked = {r.name: r.function for r in rewards if self._places[r.name] == "fork" and callable(r.function)}
        self._forks = Pool(workers if forked else 0, partial(Fork, forked))
        self._forks.warm()
        self._ahead = BackgroundCalls(self._pool, timeout)
        self._started: dict[_Key, Sequence[Episode]] = {}  # held, so that nothing else gets their ids
        self._lock = threading.Lock()
        self._metrics: dict[str, float] = {}
        self._printed_here: deque[Printed] = deque()

    def score(self, rollouts: Sequence[Episode]) -> list[Episode]:
        """New records in the same order, with `reward` (the weighted sum) and `rewards` (each by name).

        `reward` is None where every reward abstained or any failed. A conversation's prompt is given to the
        functions as the text of its last user message (as `conversations`: whole, with the answer at the end). Raises
        DataError for a column that is missing.
        """
        with self._lock:
            ledger = Ledger(self.rewards, rollouts)
            try:
                self._enter_all(ledger, rollouts)
            finally:
                self._report_printed()
            self._metrics = ledger.metrics()
            if fault := ledger.first_fault():
                _log.warning("%s\n%s", fault.message, fault.traceback)
            return ledger.episodes()

    def _enter_all(self, ledger: Ledger, rollouts: Sequence[Episode]) -> None:
        calls = [call for reward in self.rewards for call in self._calls(reward, rollouts)]
        calls.sort(key=lambda call: call.items[:1])  # prompt by prompt
        self._ahead.wait()
        known = {call: x for call in calls if (x := self._outcome(call, rollouts)) is not None}
        where = {place: deque(c for c in calls if self._places[c.reward] == place) for place in _PLACES}
        pooled = deque(call for call in where["process"] if call not in known)
        self._empty(pooled, (item for item in known.items()), ledger)
        self._empty(pooled, self._pool.run(pooled, self._timeout), ledger)
        self._empty(where["fork"], self._forks.run(where["fork"], self._timeout), ledger)
        begin = time.monotonic()
        self._empty(where["here"], inline.run(where["here"], self._timeout, self._printed_here), ledger)
        self._warn_if_slow(time.monotonic() - begin)
        self._empty(where["whole batch"], inline.run(where["whole batch"], None, self._printed_here), ledger)

    def _warn_if_slow(self, seconds: float) -> None:
        """Say once why `workers` does not make the functions of this process faster."""
        names = [r.name for r in self.rewards if self._places[r.name] == "here"]
        if seconds > _SLOW and self._workers and not self._warned:
            self._warned = True
            _log.warning(
                "%s took %.1f s in this process, one call at a time: scoring.workers does not apply to closures, "
                "methods and objects, which share what they remember with your program; as a plain function, or in a "
                "file of its own, a reward runs in %d processes",
                " and ".join(f"reward {n!r}" for n in names), seconds, self._workers,
            )  # fmt: skip

    def start(self, rollouts: Sequence[Episode]) -> None:
        """Score all answers to some prompts while others are still being written. Nothing comes back: `score` finds
        what is known of these very objects, and its results are the same without it."""
        with self._lock:
            for reward in self.rewards:
                if self._places[reward.name] == "process" and not reward.reads.awaited:
                    for call in self._calls(reward, rollouts):
                        key = _key(call, rollouts)
                        self._started[key] = [rollouts[i] for i in call.items]
                        self._ahead.add(key, call)

    def _outcome(self, call: Call, rollouts: Sequence[Episode]) -> Outcome | None:
        key = _key(call, rollouts)
        self._started.pop(key, None)
        return self._ahead.pop(key)

    def _report_printed(self) -> None:
        printed = [*self._pool.printed, *self._forks.printed, *self._printed_here]
        for kept in (self._pool.printed, self._forks.printed, self._printed_here):
            kept.clear()
        if printed and self._on_print is not None:
            self._on_print(printed)

    def metrics(self) -> dict[str, float]:
        """Of the last batch: `rewards/NAME/mean` and `/std`, `errors/reward_NAME` and `errors/abstained` (counts)."""
        return dict(self._metrics)

    def close(self) -> None:
        """End the workers and what they started."""
        with self._lock:
            self._ahead.close()
            self._pool.close()
            self._forks.close()

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

    def _calls(self, reward: Reward, rollouts: Sequence[Episode]) -> list[Call]:
        """The calls that score these rollouts: one for each prompt, or one for all of them."""
        groups = _groups(rollouts)
        everything = tuple(range(len(rollouts)))
        if reward.whole_batch:
            return [self._call(reward, everything, rollouts)]
        if reward.reads.awaited and rollouts:
            return [self._call(reward, everything, rollouts, groups)]
        return [self._call(reward, items, rollouts) for items in groups]

    def _call(
        self,
        reward: Reward,
        items: tuple[int, ...],
        rollouts: Sequence[Episode],
        groups: Sequence[tuple[int, ...]] = (),
    ) -> Call:
        given = arguments(reward, [rollouts[i] for i in items])
        reads, made = reward.reads, self._made.get(reward.name)
        return Call(
            reward.name,
            made.function if made else reward.function,
            made.call if made else reward.settings,
            given,
            items,
            form=reads.form,
            extras=reads.extras,
            batched=reads.batched,
            state=self.state,
            groups=tuple(groups),
            timeout=self._timeout,
        )


def _place(reward: Reward, workers: int) -> str:
    """Where a reward runs: one of _PLACES."""
    if reward.whole_batch:
        return "whole batch"
    if workers == 0:
        return "here"
    if isinstance(reward.function, str):
        return "process"
    return "fork" if can_fork() and stands_alone(reward.function) else "here"


def _groups(rollouts: Sequence[Episode]) -> list[tuple[int, ...]]:
    """The completions of each prompt, by position."""
    groups: dict[int, list[int]] = {}
    for i, rollout in enumerate(rollouts):
        groups.setdefault(rollout.prompt.id, []).append(i)
    return [tuple(items) for items in groups.values()]


def _check(rewards: Sequence[Reward], workers: int, timeout: float, max_error_rate: float) -> None:
    if not rewards:
        raise ConfigError("a scorer needs at least one reward")
    twice = [name for name, count in Counter(r.name for r in rewards).items() if count > 1]
    if twice:
        raise ConfigError(f"two rewards are called {twice[0]!r}; give one of them another `name`")
    if all(r.weight == 0 for r in rewards):
        raise ConfigError("every reward has weight 0, so that nothing could be learned; give one another weight")
    if workers < 0:
        raise ConfigError(f"workers is {workers}; with 0 rewards run in this process, otherwise 1 or more")
    if not timeout > 0:
        raise ConfigError(f"timeout is {timeout}, but must be more than 0 seconds")
    if not 0 <= max_error_rate <= 1:
        raise ConfigError(f"max_error_rate is {max_error_rate}, but is a part between 0 and 1")
