"""The prefix cache: keys and values of sequences, one slot each, and the tokens that they belong to.

The running sequences have the first slots. The slots behind them keep what they hold until they are needed, for
requests that begin with the same tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from posttrain.models.attention import Prefill
from posttrain.models.extend import Extend
from posttrain.models.llama import Edit
from posttrain.models.network import Network
from posttrain.sampling.decoding import Decoding

PREFILL_TOKENS = 8192  # prompt tokens of one forward pass
WORTH = 1 / 2  # a cached prefix is reused if it is at least this fraction of the tokens to read


@dataclass
class PendingPrefill:
    """Tokens that the networks have to read for one or more slots. The first `num_cached` are in the first slot."""

    tokens: tuple[int, ...]
    num_cached: int
    slots: list[int] = field(default_factory=list)

    @property
    def new(self) -> tuple[int, ...]:
        """The tokens that are not cached yet."""
        return self.tokens[self.num_cached :]


class Slots:
    """A cache for each network, and the tokens that each slot holds.

    `most`: how many slots there may be once conversations are kept that would else be overwritten.
    """

    def __init__(
        self, networks: Sequence[Network], count: int, capacity: int, edit: Edit | None = None, *, most: int = 0
    ) -> None:
        self.networks = list(networks)
        self.count = count
        self.most = max(count, most)
        self.edit = edit  # of what leaves each layer, for all sequences alike
        self.decodings = [Decoding(network, count, capacity, edit) for network in networks]
        self.caches = [decoding.cache for decoding in self.decodings]
        self.cached_tokens: list[tuple[int, ...]] = [()] * count
        self.kept = [0] * count  # for each slot 0, or when its conversation was kept: later ones have higher numbers
        self._last_kept = 0
        self.pending: dict[tuple[int, ...], PendingPrefill] = {}

    def fits(self, networks: Sequence[Network], count: int) -> bool:
        """Whether these slots serve `count` requests to these networks."""
        return [id(n) for n in networks] == [id(n) for n in self.networks] and count <= self.count

    @property
    def device(self) -> torch.device:
        return self.networks[0].device

    @property
    def used(self) -> bool:
        """Whether any slot holds tokens."""
        return any(self.cached_tokens)

    def reserve(self, capacity: int) -> None:
        """Grow every slot to hold at least `capacity` tokens."""
        for cache in self.caches:
            cache.reserve(capacity)

    def longest_cached_prefix(self, tokens: tuple[int, ...]) -> tuple[int, int]:
        """The slot that shares the longest prefix with these tokens, and its length; 0 if it is not worth reusing.

        Only a slot counts whose tokens begin with these tokens, or the other way round.
        """
        common = [min(len(cached), len(tokens)) for cached in self.cached_tokens]
        common = [n if cached[:n] == tokens[:n] else 0 for n, cached in zip(common, self.cached_tokens, strict=True)]
        best = max(range(len(common)), key=common.__getitem__)
        return best, common[best] if common[best] >= WORTH * len(tokens) else 0

    def goes_on(self, tokens: tuple[int, ...]) -> bool:
        """Whether these tokens go on with a conversation that is kept."""
        kept = (cached for cached, when in zip(self.cached_tokens, self.kept, strict=True) if when)
        return any(len(cached) < len(tokens) and tokens[: len(cached)] == cached for cached in kept)

    def start(self, tokens: tuple[int, ...], slot: int) -> None:
        """Give a sequence that begins with these tokens `slot`, the first one behind the running ones.

        `prefill` then reads the tokens that are not cached.
        """
        if tokens in self.pending:
            self._vacate(slot, slot)
            self.cached_tokens[slot], self.kept[slot] = (), 0
            self.pending[tokens].slots.append(slot)
            return
        source, num_cached = self.longest_cached_prefix(tokens)
        longer = len(self.cached_tokens[source]) > num_cached
        if num_cached and source >= slot and not (longer and self.kept[source]):
            self.swap(slot, source)
        else:
            self._vacate(slot, source)
            if num_cached and source != slot:
                self._copy(source, [slot], num_cached)
        self.cached_tokens[slot], self.kept[slot] = tokens[:num_cached], 0
        self.pending[tokens] = PendingPrefill(tokens, num_cached, [slot])

    def keep(self, slot: int, tokens: tuple[int, ...]) -> None:
        """Keep the first tokens of a slot, whose sequence is finished or suspended, for a later request."""
        self._last_kept += 1
        self.cached_tokens[slot], self.kept[slot] = tokens, self._last_kept

    def _vacate(self, slot: int, source: int) -> None:
        """Make room in the first slot behind the running ones, at the cost of the conversation that was kept first.

        That in `source` stays, because it is read.
        """
        if not self.kept[slot]:
            return
        if self.count < self.most and all(self.kept[slot:]):
            self._grow()
        behind = [i for i in range(slot, self.count) if i != source]
        free = min(behind, key=self.kept.__getitem__, default=slot)
        if free != slot:
            when = self.kept[slot]
            self.move(slot, free, len(self.cached_tokens[slot]))
            self.kept[free] = when

    def _grow(self) -> None:
        more = self.most - self.count
        for cache in self.caches:
            cache.widen(more)
        self.cached_tokens += [()] * more
        self.kept += [0] * more
        self.count = self.most

    def prefill(self) -> None:
        """Read the tokens of all sequences that have been started, equal ones once."""
        unread = [p for p in self.pending.values() if p.new]
        for batch in _batches([p for p in unread if not p.num_cached]):
            self._run(batch, extend=False)
        for batch in _batches([p for p in unread if p.num_cached]):
            self._run(batch, extend=True)
        for pending in self.pending.values():
            if others := pending.slots[1:]:
                self._copy(pending.slots[0], others, len(pending.tokens))
            for slot in pending.slots:
                self.cached_tokens[slot] = pending.tokens
        self.pending = {}

    def _run(self, batch: Sequence[PendingPrefill], *, extend: bool) -> None:
        lengths, first = [len(p.new) for p in batch], [p.slots[0] for p in batch]
        for network, cache in zip(self.networks, self.caches, strict=True):
            layout: Extend | Prefill
            if extend:
                layout = Extend([p.num_cached for p in batch], lengths, first, cache, network.device)
            else:
                layout = Prefill(lengths, [[slot] for slot in first], cache, network.device)
            network.states(torch.tensor([t for p in batch for t in p.new], device=network.device), layout, self.edit)

    def _copy(self, source: int, targets: list[int], length: int) -> None:
        for cache in self.caches:
            cache.copy(source, targets, length)

    def move(self, source: int, target: int, length: int) -> None:
        """Copy the first `length` tokens of a slot to another one."""
        self._copy(source, [target], length)
        self.cached_tokens[target], self.kept[target] = self.cached_tokens[source], 0

    def swap(self, one: int, other: int) -> None:
        """Exchange the contents of two slots."""
        if one == other:
            return
        for cache in self.caches:
            cache.swap(one, other)
        self.cached_tokens[one], self.cached_tokens[other] = self.cached_tokens[other], self.cached_tokens[one]
        self.kept[one], self.kept[other] = self.kept[other], self.kept[one]

    def state(self) -> dict[str, object]:
        """The tokens that each slot holds and those that wait to be read, for tests."""
        return {"cached_tokens": list(self.cached_tokens), "pending": list(self.pending)}


def _batches(pending: Sequence[PendingPrefill]) -> Iterator[list[PendingPrefill]]:
    """Batches of at most PREFILL_TOKENS tokens; a longer prompt is a batch of its own."""
    batch: list[PendingPrefill] = []
    size = 0
    for p in pending:
        if batch and size + len(p.new) > PREFILL_TOKENS:
            yield batch
            batch, size = [], 0
        batch.append(p)
        size += len(p.new)
    if batch:
        yield batch
