"""Keys and values of sequences, one slot each, and which tokens they belong to.

The running sequences have the first slots. Whatever lies behind them, or was read before, serves a request that begins
with the same tokens, until its slot is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from posttrain.models.attention import Prefill
from posttrain.models.extend import Extend
from posttrain.models.network import Network
from posttrain.sampling.decoding import Decoding

PREFILL = 8192  # prompt tokens read at once
WORTH = 1 / 2  # a beginning is taken over if it is at least this part of what must be read


@dataclass
class Reading:
    """Tokens that the networks must read for one or more slots. The first `known` of them are in the first slot."""

    tokens: tuple[int, ...]
    known: int
    slots: list[int] = field(default_factory=list)

    @property
    def new(self) -> tuple[int, ...]:
        return self.tokens[self.known :]


class Slots:
    """A cache for each network, and the tokens that each slot holds."""

    def __init__(self, networks: Sequence[Network], count: int, capacity: int) -> None:
        self.networks = list(networks)
        self.decodings = [Decoding(network, count, capacity) for network in networks]
        self.caches = [decoding.cache for decoding in self.decodings]
        self.held: list[tuple[int, ...]] = [()] * count
        self.readings: dict[tuple[int, ...], Reading] = {}  # that wait for `read`

    def fits(self, networks: Sequence[Network], count: int) -> bool:
        """Whether so many requests to these networks can go on with it."""
        return [id(n) for n in networks] == [id(n) for n in self.networks] and count <= len(self.held)

    def reserve(self, capacity: int) -> None:
        for cache in self.caches:
            cache.reserve(capacity)

    def find(self, tokens: tuple[int, ...]) -> tuple[int, int]:
        """The slot that holds most of the first tokens, and how many: one of the two begins with the other."""
        common = [min(len(held), len(tokens)) for held in self.held]
        common = [n if held[:n] == tokens[:n] else 0 for n, held in zip(common, self.held, strict=True)]
        best = max(range(len(common)), key=common.__getitem__)
        return best, common[best] if common[best] >= WORTH * len(tokens) else 0

    def start(self, tokens: tuple[int, ...], slot: int) -> None:
        """Give a sequence that begins with these tokens the first slot behind the running ones; `read` fills it."""
        if tokens in self.readings:
            self.readings[tokens].slots.append(slot)
            return
        source, known = self.find(tokens)
        if known and source > slot:
            self.swap(slot, source)
        elif known and source < slot:
            self._copy(source, [slot], known)
        self.held[slot] = tokens[:known]
        self.readings[tokens] = Reading(tokens, known, [slot])

    def read(self) -> None:
        """Read what the started sequences begin with, equal beginnings once."""
        work = [r for r in self.readings.values() if r.new]
        for batch in _batches([r for r in work if not r.known]):
            self._run(batch, extend=False)
        for batch in _batches([r for r in work if r.known]):
            self._run(batch, extend=True)
        for reading in self.readings.values():
            if others := reading.slots[1:]:
                self._copy(reading.slots[0], others, len(reading.tokens))
            for slot in reading.slots:
                self.held[slot] = reading.tokens
        self.readings = {}

    def _run(self, batch: Sequence[Reading], *, extend: bool) -> None:
        lengths, first = [len(r.new) for r in batch], [r.slots[0] for r in batch]
        for network, cache in zip(self.networks, self.caches, strict=True):
            layout: Extend | Prefill
            if extend:
                layout = Extend([r.known for r in batch], lengths, first, cache, network.device)
            else:
                layout = Prefill(lengths, [[slot] for slot in first], cache, network.device)
            network.states(torch.tensor([t for r in batch for t in r.new], device=network.device), layout)

    def _copy(self, source: int, targets: list[int], length: int) -> None:
        for cache in self.caches:
            cache.copy(source, targets, length)

    def move(self, source: int, target: int, length: int) -> None:
        """The target slot then holds the first tokens of the source."""
        self._copy(source, [target], length)
        self.held[target] = self.held[source]

    def swap(self, one: int, other: int) -> None:
        if one == other:
            return
        for cache in self.caches:
            cache.swap(one, other)
        self.held[one], self.held[other] = self.held[other], self.held[one]


def _batches(readings: Sequence[Reading]) -> Iterator[list[Reading]]:
    """At most PREFILL tokens at once; a longer one comes alone."""
    batch: list[Reading] = []
    size = 0
    for reading in readings:
        if batch and size + len(reading.new) > PREFILL:
            yield batch
            batch, size = [], 0
        batch.append(reading)
        size += len(reading.new)
    if batch:
        yield batch
