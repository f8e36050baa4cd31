"""The native engine: continuous batching on the trainer's own modules.

Prompts are read end to end, each distinct one once, into the slots of a cache; then all slots advance by one token
at a time, and slots that become free are refilled. Nothing is copied from the trainer: after an optimiser step the
next call samples from the new weights.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby

import torch
from torch import Tensor

from posttrain.errors import ConfigError, ModelError, suggestion
from posttrain.models.attention import Cache, Decode, Prefill
from posttrain.models.network import Network
from posttrain.sampling.law import draw, truncated
from posttrain.sampling.request import POLICY, Completion, Mix, Progress, Request

PREFILL = 8192  # prompt tokens read at once
ROOM = 64  # tokens of answer for which a slot has room at first


@dataclass
class _Running:
    """A sequence in a slot; the slot is its place in the list of running sequences."""

    number: int
    request: Request
    uniforms: list[float]
    tokens: list[int] = field(default_factory=list)
    logp: list[float] = field(default_factory=list)

    @property
    def newest(self) -> int:
        return self.tokens[-1] if self.tokens else self.request.prompt[-1]

    @property
    def position(self) -> int:
        """Place of the newest token, which the networks have not read yet."""
        return len(self.request.prompt) + len(self.tokens) - 1


class Engine:
    """Samples from networks by role; `stop` are the tokens that end an answer, `slots` the sequences run at once.

    A sample depends on its request alone, except for the rounding of matrix products of other shapes.
    """

    def __init__(self, networks: Mapping[str, Network], stop: frozenset[int], slots: int = 64) -> None:
        if slots < 1:
            raise ConfigError(f"sampling: slots must be at least 1, not {slots}")
        self.networks, self.stop, self.slots = networks, stop, slots

    @torch.no_grad()
    def generate(
        self, requests: Sequence[Request], mix: Mix = POLICY, progress: Progress | None = None
    ) -> list[Completion]:
        """One completion for each request, in their order.

        `mix` draws from softmax(sum of weight * log-prob / temperature) over several networks.
        Raises ModelError for a request that does not fit a network's context or vocabulary, ConfigError for a role.
        """
        networks = [(self._network(role), weight) for role, weight in mix]
        for number, request in enumerate(requests):
            _check(number, request, [network for network, _ in networks])
        done: dict[int, Completion] = {}
        with _evaluating([network for network, _ in networks]):
            batch = _Slots(networks, requests, self.slots)
            while batch.refill():
                batch.advance()
                finished = batch.retire(self.stop)
                done |= finished
                if finished and progress is not None:
                    progress(len(done), len(requests))
        return [done[number] for number in range(len(requests))]

    def _network(self, role: str) -> Network:
        if role not in self.networks:
            raise ConfigError(f"sampling: no model has the role {role!r}{suggestion(role, self.networks)}")
        return self.networks[role]


class _Slots:
    """The running sequences, the requests that wait, and a cache for each network."""

    def __init__(self, networks: Sequence[tuple[Network, float]], requests: Sequence[Request], slots: int) -> None:
        order = sorted(range(len(requests)), key=lambda i: (-len(requests[i].prompt), requests[i].prompt, i))
        self.waiting = deque((i, requests[i]) for i in order)
        self.running: list[_Running] = []
        self.size = min(slots, len(requests))
        longest = max((len(r.prompt) for r in requests), default=0)
        self.models = [(network, weight, Cache(self.size, longest + ROOM)) for network, weight in networks]

    def refill(self) -> bool:
        """Start waiting requests once an eighth of the slots is free. False when all work is done."""
        free = self.size - len(self.running)
        if self.waiting and (not self.running or free >= max(1, self.size // 8)):
            first = len(self.running)
            for _ in range(min(free, len(self.waiting))):
                number, request = self.waiting.popleft()
                generator = torch.Generator().manual_seed(request.seed)
                uniforms = torch.rand(request.max_tokens, dtype=torch.float64, generator=generator)
                self.running.append(_Running(number, request, uniforms.tolist()))
            self._prefill(first)
        return bool(self.running)

    def _prefill(self, first: int) -> None:
        """Read all but the last token of the prompts in the slots from `first` on; equal prompts only once, and not
        again as long as one of their answers is running."""
        slots = range(first, len(self.running))
        distinct = groupby(slots, key=lambda slot: self.running[slot].request.prompt)
        known = {self.running[slot].request.prompt: slot for slot in range(first)}
        new = []
        for prompt, group in distinct:
            if prompt in known:
                for _, _, cache in self.models:
                    cache.copy(known[prompt], list(group), len(prompt) - 1)
            elif len(prompt) > 1:
                new.append((prompt[:-1], list(group)))
        for batch in _batches(new):
            lengths = [len(prompt) for prompt, _ in batch]
            tokens = [token for prompt, _ in batch for token in prompt]
            for network, _, cache in self.models:
                layout = Prefill(lengths, [group for _, group in batch], cache, network.device)
                network.states(torch.tensor(tokens, device=network.device), layout)

    def advance(self) -> None:
        """One token for each running sequence."""
        positions = [sequence.position for sequence in self.running]
        newest = [sequence.newest for sequence in self.running]
        mixture: Tensor | float = 0.0  # normalising the networks would add a constant, which the softmax cancels
        for network, weight, cache in self.models:
            if max(positions) >= cache.capacity:
                cache.reserve(min(2 * cache.capacity, network.context))
            layout = Decode(positions, cache, network.device)
            states = network.states(torch.tensor(newest, device=network.device), layout)
            mixture = mixture + weight * network.logits(states)
        assert isinstance(mixture, Tensor)
        requests, device = [sequence.request for sequence in self.running], mixture.device
        temperature = torch.tensor([r.temperature for r in requests], dtype=torch.float64, device=device)
        top_k = torch.tensor([r.top_k for r in requests], device=device)
        top_p = torch.tensor([r.top_p for r in requests], dtype=torch.float64, device=device)
        uniform = [sequence.uniforms[len(sequence.tokens)] for sequence in self.running]
        scores = truncated(mixture, temperature, top_k, top_p)
        tokens, logp = draw(scores, torch.tensor(uniform, dtype=torch.float64, device=device))
        for sequence, token, value in zip(self.running, tokens.tolist(), logp.tolist(), strict=True):
            sequence.tokens.append(token)
            sequence.logp.append(value)

    def retire(self, stop: frozenset[int]) -> dict[int, Completion]:
        """Take out the sequences that are complete; the last slot moves into each slot that becomes free."""
        complete: dict[int, Completion] = {}
        for slot in reversed(range(len(self.running))):
            sequence = self.running[slot]
            ended = sequence.newest in stop
            if not ended and len(sequence.tokens) < sequence.request.max_tokens:
                continue
            complete[sequence.number] = Completion(tuple(sequence.tokens), tuple(sequence.logp), ended)
            last = self.running.pop()
            if slot < len(self.running):
                self.running[slot] = last
                for _, _, cache in self.models:
                    cache.move(len(self.running), slot)
        return complete


def _batches(prompts: Sequence[tuple[tuple[int, ...], list[int]]]) -> Iterator[list[tuple[tuple[int, ...], list[int]]]]:
    """Prompts in batches of at most PREFILL tokens; a longer prompt comes alone."""
    batch: list[tuple[tuple[int, ...], list[int]]] = []
    size = 0
    for prompt, slots in prompts:
        if batch and size + len(prompt) > PREFILL:
            yield batch
            batch, size = [], 0
        batch.append((prompt, slots))
        size += len(prompt)
    if batch:
        yield batch


def _check(number: int, request: Request, networks: Sequence[Network]) -> None:
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
