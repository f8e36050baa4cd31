"""The sampler of several processes: each has a whole copy of the weights and answers its part of the requests."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

from posttrain.backends.fsdp.group import Group
from posttrain.backends.fsdp.learner import FsdpLearner
from posttrain.backends.fsdp.sharded import ShardedLearner
from posttrain.backends.local.sampler import LocalSampler
from posttrain.backends.protocol import Sampler
from posttrain.errors import PosttrainError
from posttrain.sampling.engine import check, of_role
from posttrain.sampling.request import (
    NEVER,
    POLICY,
    Arrivals,
    Completion,
    Distribution,
    OnFinished,
    Pause,
    Request,
    roles_of,
)


class ReplicaSampler:
    """A local sampler on copies of the learner's networks, in one process of a group."""

    def __init__(self, group: Group, learner: int, stop: frozenset[int], slots: int) -> None:
        self.group = group
        self.learner: ShardedLearner = group.objects[learner]
        self.replicas: dict[str, Any] = {}
        self.versions: dict[str, int] = {}  # of the weights in each replica
        self.sampler = LocalSampler(self.replicas, stop, slots)
        self.on_finished: OnFinished | None = None  # of the call, in the first process

    def refresh(self, source: Distribution) -> None:
        """Give the replicas that tokens are drawn from the weights as they are now. All processes call this."""
        for role in roles_of(source):
            if role not in self.learner.models:
                continue  # the sampler says so
            module, version = self.learner.models[role], self.learner.version
            if self.versions.get(role) != version:
                self.replicas[role] = self.learner.sharded.whole(module, self.group.device, everywhere=True)
                self.versions[role] = version

    def sync(self, version: int, steps: int) -> None:
        """Drop what was cached under other weights; tag the tokens from now on with `steps`."""
        self.sampler.sync(version, steps)

    def stop_at(self, tokens: frozenset[int]) -> None:
        """End answers at these tokens from now on."""
        self.sampler.stop_at(tokens)

    def generate(self, source: Distribution, pause: Pause, requests: Sequence[Request]) -> list[Any] | None:
        """Answer this process's requests; those of all processes in the first one, or the error of a process."""
        self.refresh(source)
        told, self.on_finished = self.on_finished, None
        made: list[Completion] | PosttrainError
        try:
            made = self.sampler.generate(requests, source, pause, told)
        except PosttrainError as error:  # of these requests: the others wait for what comes of them
            made = error
        return self.group.gathered(made)

    def release(self) -> None:
        """Free the caches and the copies of the weights."""
        self.sampler.release()
        self.replicas.clear()
        self.versions.clear()

    def metrics(self) -> dict[str, float]:
        """Return the slot utilisation since the last call."""
        return self.sampler.metrics()


class FsdpSampler(Sampler):
    """Deals requests to the processes of a learner. The first one hears of the answers of the others at the end.

    `alone`: the first process answers all of them, because what finishes first decides what the others do. So it does
    where requests arrive while others are answered.
    """

    def __init__(
        self,
        learner: FsdpLearner,
        stop: frozenset[int] = frozenset(),
        slots: int = 64,
        progress: Callable[[str, int, int], None] | None = None,
        *,
        alone: bool = False,
    ) -> None:
        self.alone = alone
        self.group = learner.group
        self.number = self.group.make(ReplicaSampler, learner.number, stop, slots)
        weakref.finalize(self, self.group.drop, self.number)
        self.local.sampler.progress = progress or self.local.sampler.progress
        self.learner = learner

    @property
    def local(self) -> ReplicaSampler:
        """This process's share of the work."""
        found: ReplicaSampler = self.group.objects[self.number]
        return found

    def sync(self, version: int, steps: int) -> None:
        """From now on, sample from the weights as they are; tag the tokens with `steps`."""
        self.group.call(self.number, "sync", version, steps)

    def stop_at(self, tokens: frozenset[int]) -> None:
        """End answers at these tokens from now on."""
        self.group.call(self.number, "stop_at", tokens)

    def generate(
        self,
        requests: Sequence[Request],
        source: Distribution = POLICY,
        pause: Pause = NEVER,
        on_finished: OnFinished | None = None,
        arrivals: Arrivals | None = None,
    ) -> list[Completion]:
        """Sample one completion per request, in their order.

        Raises ModelError for a request that a network cannot read, ConfigError for an unknown role.
        """
        networks = [of_role(self.learner.models, role) for role in roles_of(source)]
        for number, request in enumerate(requests):
            check(number, request, networks)
        if self.alone or arrivals is not None or pause.finished or pause.tokens:
            self.group.call(self.number, "refresh", source)
            return self.local.sampler.generate(requests, source, pause, on_finished, arrivals)
        count = -(-len(requests) // self.group.size)  # in blocks: answers to one prompt share what they read
        parts = [requests[rank * count :][:count] for rank in range(self.group.size)]
        self.local.on_finished = on_finished
        made = self.group.call(self.number, "generate", source, pause, each=parts)
        for failed in (part for part in made if isinstance(part, PosttrainError)):
            raise failed
        first, *others = made
        for number, completion in enumerate((c for part in others for c in part), len(first)):
            if on_finished is not None and completion.finished:
                on_finished(number, completion)
        return [*first, *(c for part in others for c in part)]

    def release(self) -> None:
        """Free the caches and the copies of the weights, so that training can use their memory."""
        self.group.call(self.number, "release")

    def metrics(self) -> dict[str, float]:
        """Return the slot utilisation of the first process since the last call."""
        return self.local.metrics()
