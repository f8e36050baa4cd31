"""The native engine: continuous batching on the trainer's own modules.

Prompts are read end to end, each distinct one once, into the slots of a cache. Then all slots advance by one token at a
time, and waiting requests are admitted to slots that become free. No weights are copied from the trainer: after an
optimiser step the next call samples from the new ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch

from posttrain.core.decoder import Decoder
from posttrain.errors import ConfigError, ModelError, suggestion
from posttrain.models.network import Network
from posttrain.sampling.edits import edit_for, same_prompt
from posttrain.sampling.next_token import Mixture, scores_from
from posttrain.sampling.occupancy import Occupancy
from posttrain.sampling.request import (
    NEVER,
    POLICY,
    Arrivals,
    Completion,
    Distribution,
    OnFinished,
    Pause,
    Progress,
    Request,
    roles_of,
)
from posttrain.sampling.scheduler import Scheduler
from posttrain.sampling.slots import Slots

HEADROOM = 64  # tokens of an answer that a new slot has room for
CONVERSATIONS = 2  # as many times as slots may be kept, where conversations wait for what the environment answers


class Limits(Protocol):
    """What a model can read: tokens in a row, and the tokens that it knows. A network has them."""

    @property
    def context(self) -> int: ...

    @property
    def vocab_size(self) -> int: ...


class Engine:
    """Samples from networks by role. `stop` are the tokens that end an answer, `slots` the sequences run concurrently.

    A sample depends on its request and the weights alone, up to the rounding of matrix products of different shapes.
    """

    def __init__(self, networks: Mapping[str, Network], stop: frozenset[int], slots: int = 64) -> None:
        if slots < 1:
            raise ConfigError(f"sampling: slots must be at least 1, not {slots}")
        self.networks = networks
        self.stop = stop
        self.slots = slots
        self.occupancy = Occupancy()
        self.cache: Slots | None = None  # of the requests with `keep`, for the next call

    @torch.no_grad()
    def generate(
        self,
        requests: Sequence[Request],
        source: Distribution = POLICY,
        progress: Progress | None = None,
        *,
        pause: Pause = NEVER,
        on_finished: OnFinished | None = None,
        arrivals: Arrivals | None = None,
    ) -> list[Completion]:
        """Return one completion for each request, in order. After a `pause` the other ones are unfinished.

        `on_finished` is called with each finished completion; if it returns True, all others are suspended. `arrivals`
        are requests that join those that run. `source` is a mixture, softmax(sum of weight * log-prob / temperature)
        over several networks, or a decoder, whose scores are divided by the temperature likewise. Raises ModelError for
        a request that does not fit a network's context or vocabulary, ConfigError for an unknown role.
        """
        networks = [of_role(self.networks, role) for role in roles_of(source)]
        for number, request in enumerate(requests):
            check(number, request, networks)
        if arrivals is None and not requests:
            return []
        if isinstance(source, Decoder) and source.edits:
            return self._edited(requests, source, progress, pause, on_finished, arrivals)
        most = self.slots if arrivals is not None else min(self.slots, len(requests))
        kept = arrivals is not None or any(r.keep for r in requests)  # so that later requests find what was read
        before = self.cache
        times = 1 if arrivals is None else CONVERSATIONS
        slots, self.cache = self._slots(networks, requests, self.slots if kept else most, times), None
        with _evaluating(networks):
            scores = scores_from(source, slots.decodings)
            scheduler = Scheduler(slots, most, scores, self.stop, arriving=arrivals is not None)
            scheduler.add(requests)
            done = self._run(scheduler, pause, on_finished, progress, arrivals)
        if slots is before or any(r.keep for r in scheduler.requests):
            self.cache = slots
        return [done.get(i) or scheduler.partial(i) for i in range(len(scheduler.requests))]

    def _run(
        self,
        scheduler: Scheduler,
        pause: Pause,
        on_finished: OnFinished | None,
        progress: Progress | None,
        arrivals: Arrivals | None = None,
    ) -> dict[int, Completion]:
        done: dict[int, Completion] = {}
        drawn, enough = 0, False
        while not enough and self._goes_on(scheduler, arrivals):
            self.occupancy.count(scheduler)
            drawn += len(scheduler)
            scheduler.advance()
            for number, completion in scheduler.pop_finished(pause.each):
                done[number] = completion
                if completion.finished and on_finished is not None:
                    enough |= on_finished(number, completion)
                if progress is not None:
                    progress(len(done), len(scheduler.requests))
            enough |= pause.tokens is not None and drawn >= pause.tokens
            enough |= pause.finished is not None and sum(c.finished for c in done.values()) >= pause.finished
        scheduler.suspend()
        return done

    def _goes_on(self, scheduler: Scheduler, arrivals: Arrivals | None) -> bool:
        """Let requests that have arrived wait, and start those that wait. Returns False when everything is finished."""
        if arrivals is None:
            return scheduler.admit()
        if new := arrivals.take(wait=not (len(scheduler) or scheduler.has_waiting)):
            for number, request in enumerate(new, len(scheduler.requests)):
                check(number, request, scheduler.slots.networks)
            scheduler.slots.reserve(max(len(r.read) for r in new) + 1 + HEADROOM)
            scheduler.add(new)
        scheduler.away = arrivals.away
        return scheduler.admit()

    def _edited(
        self,
        requests: Sequence[Request],
        decoder: Decoder,
        progress: Progress | None,
        pause: Pause,
        on_finished: OnFinished | None,
        arrivals: Arrivals | None,
    ) -> list[Completion]:
        """Answer prompt by prompt, because an edit depends on the prompt; all answers to one run together."""
        if arrivals is not None:
            raise ConfigError(
                f"sampling: the decoder {decoder.name} answers prompt by prompt, so it cannot play episodes of many "
                "turns; sample without it"
            )
        if pause != NEVER:
            raise ConfigError(f"sampling: the decoder {decoder.name} answers prompt by prompt and cannot be suspended")
        self.forget()
        network = of_role(self.networks, *decoder.roles)
        done: dict[int, Completion] = {}
        enough = False
        with _evaluating([network]):
            for numbers in same_prompt(requests):
                if enough:
                    break
                asked = [requests[i] for i in numbers]
                longest = max(len(r.read) for r in asked) + 1
                edit = edit_for(decoder, network, asked[0].prompt)
                slots = Slots([network], min(self.slots, len(asked)), longest + HEADROOM, edit)
                scheduler = Scheduler(slots, slots.count, Mixture(slots.decodings, [1.0]), self.stop)
                scheduler.add(asked)
                for number, completion in self._run(scheduler, pause, None, None).items():
                    done[numbers[number]] = completion
                    enough |= on_finished is not None and on_finished(numbers[number], completion)
                if progress is not None:
                    progress(len(done), len(requests))
        return [done.get(i) or request.partial for i, request in enumerate(requests)]

    def forget(self) -> None:
        """Drop the cached keys and values. To be called after every change of a weight.

        A change cannot be detected here: torch's fused optimisers do not count their in-place updates.
        """
        self.cache = None

    def _slots(self, networks: Sequence[Network], requests: Sequence[Request], count: int, times: int) -> Slots:
        longest = max((len(r.read) for r in requests), default=0) + 1
        if self.cache is None or not self.cache.fits(networks, count):
            return Slots(networks, count, longest + HEADROOM, most=times * count)
        self.cache.reserve(longest + HEADROOM)
        self.cache.most = max(self.cache.most, times * count)
        return self.cache


def of_role(networks: Mapping[str, Network], role: str) -> Network:
    """Return the network of a role. Raises ConfigError if there is none."""
    if role not in networks:
        raise ConfigError(f"sampling: no model has the role {role!r}{suggestion(role, networks)}")
    return networks[role]


def check(number: int, request: Request, networks: Sequence[Limits]) -> None:
    """Raise ModelError unless every network can read the prompt and has room for the answer."""
    for network in networks:
        length, vocab_size = len(request.prompt), network.vocab_size
        if length >= network.context:
            raise ModelError(
                f"request {number}: the prompt has {length} tokens and the model's context {network.context}"
            )
        if length + request.max_tokens > network.context:
            raise ModelError(
                f"request {number}: {length} prompt tokens and max_tokens {request.max_tokens} exceed the model's "
                f"context of {network.context}; lower max_tokens to {network.context - length}"
            )
        if not 0 <= min(request.prompt) <= max(request.prompt) < vocab_size:
            raise ModelError(f"request {number}: token {max(request.prompt)} is outside the vocabulary of {vocab_size}")


@contextmanager
def _evaluating(networks: Sequence[Network]) -> Iterator[None]:
    """Put networks into eval() mode inside the context, and back afterwards."""
    training = [network.training for network in networks]
    for network in networks:
        network.eval()
    try:
        yield
    finally:
        for network, mode in zip(networks, training, strict=True):
            network.train(mode)
