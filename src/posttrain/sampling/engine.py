"""The native engine: continuous batching on the trainer's own modules.

Prompts are read end to end, each distinct one once, into the slots of a cache; then all slots advance by one token
at a time, and slots that become free are refilled. Nothing is copied from the trainer: after an optimiser step the
next call samples from the new weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch

from posttrain.errors import ConfigError, ModelError, suggestion
from posttrain.models.network import Network
from posttrain.sampling.occupancy import Occupancy
from posttrain.sampling.request import NEVER, POLICY, Completion, Mix, OnFinished, Pause, Progress, Request
from posttrain.sampling.scheduler import Running
from posttrain.sampling.slots import Slots

ROOM = 64  # tokens of answer for which a slot has room at first


class Engine:
    """Samples from networks by role; `stop` are the tokens that end an answer, `slots` the sequences run at once.

    A sample depends on its request and the weights alone, except for the rounding of matrix products of other shapes.
    """

    def __init__(self, networks: Mapping[str, Network], stop: frozenset[int], slots: int = 64) -> None:
        if slots < 1:
            raise ConfigError(f"sampling: slots must be at least 1, not {slots}")
        self.networks, self.stop, self.slots = networks, stop, slots
        self.occupancy = Occupancy()
        self._kept: Slots | None = None  # of conversations that may go on

    @torch.no_grad()
    def generate(
        self,
        requests: Sequence[Request],
        mix: Mix = POLICY,
        progress: Progress | None = None,
        *,
        pause: Pause = NEVER,
        on_finished: OnFinished | None = None,
    ) -> list[Completion]:
        """One completion for each request, in their order; unfinished ones after a `pause`, or once `on_finished`,
        which is called with each finished one, returns True.

        `mix` draws from softmax(sum of weight * log-prob / temperature) over several networks.
        Raises ModelError for a request that does not fit a network's context or vocabulary, ConfigError for a role.
        """
        networks = [of_role(self.networks, role) for role, _ in mix]
        for number, request in enumerate(requests):
            check(number, request, networks)
        if not requests:
            return []
        slots, self._kept = self._slots(networks, requests), None
        with _evaluating(networks):
            running = Running(requests, slots, [weight for _, weight in mix], self.stop)
            done = self._run(running, pause, on_finished, progress)
        if any(r.keep for r in requests):
            self._kept = slots
        return [done.get(i) or running.so_far(i) for i in range(len(requests))]

    def _run(
        self, running: Running, pause: Pause, on_finished: OnFinished | None, progress: Progress | None
    ) -> dict[int, Completion]:
        done: dict[int, Completion] = {}
        drawn, enough = 0, False
        while not enough and running.refill():
            self.occupancy.count(running)
            drawn += len(running)
            running.advance()
            for number, completion in running.retire(pause.each):
                done[number] = completion
                if completion.finished and on_finished is not None:
                    enough |= on_finished(number, completion)
                if progress is not None:
                    progress(len(done), running.total)
            enough |= pause.tokens is not None and drawn >= pause.tokens
            enough |= pause.finished is not None and sum(c.finished for c in done.values()) >= pause.finished
        running.suspend()
        return done

    def forget(self) -> None:
        """Let go of the keys and values of conversations. Whoever moves a weight calls it: torch's fused optimisers
        leave no trace that could be looked for."""
        self._kept = None

    def _slots(self, networks: Sequence[Network], requests: Sequence[Request]) -> Slots:
        count = min(self.slots, len(requests))
        longest = max(len(r.read) for r in requests) + 1
        if self._kept is None or not self._kept.fits(networks, count):
            return Slots(networks, count, longest + ROOM)
        self._kept.reserve(longest + ROOM)
        return self._kept


def of_role(networks: Mapping[str, Network], role: str) -> Network:
    """The network of a role, or ConfigError."""
    if role not in networks:
        raise ConfigError(f"sampling: no model has the role {role!r}{suggestion(role, networks)}")
    return networks[role]


def check(number: int, request: Request, networks: Sequence[Network]) -> None:
    """ModelError unless every network can read the prompt and has room for the answer."""
    for network in networks:
        length, vocabulary = len(request.prompt), network.vocabulary
        if length >= network.context:
            raise ModelError(
                f"request {number}: the prompt has {length} tokens and the model's context {network.context}"
            )
        if length + request.max_tokens > network.context:
            raise ModelError(
                f"request {number}: {length} prompt tokens and max_tokens {request.max_tokens} exceed the model's "
                f"context of {network.context}; lower max_tokens to {network.context - length}"
            )
        if not 0 <= min(request.prompt) <= max(request.prompt) < vocabulary:
            raise ModelError(f"request {number}: token {max(request.prompt)} is outside the vocabulary of {vocabulary}")


@contextmanager
def _evaluating(networks: Sequence[Network]) -> Iterator[None]:
    """Networks in eval() mode, and afterwards as they were."""
    training = [network.training for network in networks]
    for network in networks:
        network.eval()
    try:
        yield
    finally:
        for network, mode in zip(networks, training, strict=True):
            network.train(mode)
