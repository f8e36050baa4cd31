"""The running sequences of one call of the engine, and the requests that wait for a slot."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from posttrain.sampling.distribution import draw, truncated, uniforms
from posttrain.sampling.request import Completion, Request
from posttrain.sampling.slots import Slots

WAIT = 16  # prompts are read once this part of the slots is free: 1/16


@dataclass
class _Sequence:
    """A sequence in a slot; the slot is its place in the list of running sequences."""

    number: int
    request: Request
    uniforms: list[float]
    tokens: list[int]
    logp: list[float]

    @property
    def newest(self) -> int:
        return self.tokens[-1] if self.tokens else self.request.prompt[-1]

    @property
    def position(self) -> int:
        """Place of the newest token, which the networks have not read yet."""
        return len(self.request.prompt) + len(self.tokens) - 1

    @property
    def read(self) -> tuple[int, ...]:
        return (*self.request.prompt, *self.tokens)[:-1]

    @property
    def drawn(self) -> int:
        """Tokens drawn by this call."""
        return len(self.tokens) - len(self.request.partial.tokens)

    def completion(self, *, ended: bool, finished: bool) -> Completion:
        versions = (*self.request.partial.versions, *[self.request.version] * self.drawn)
        return Completion(tuple(self.tokens), tuple(self.logp), ended, versions, finished)


class Running:
    """Sequences in the first slots, one step at a time. The longest start first, so that none is left to run alone."""

    def __init__(self, requests: Sequence[Request], slots: Slots, weights: Sequence[float], stop: frozenset[int]):
        self.requests, self.slots, self.weights, self.stop = requests, slots, weights, stop
        self.waiting = deque(_order(requests, slots))
        self.size, self.total = min(len(slots.held), len(requests)), len(requests)
        self.sequences: list[_Sequence] = []
        self.suspended: dict[int, Completion] = {}
        self._settings: tuple[Tensor, Tensor, Tensor] | None = None

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def waits(self) -> bool:
        return bool(self.waiting)

    def refill(self) -> bool:
        """Start waiting requests: at once where there is nothing to read, else once some slots are free. False when
        all work is done."""
        before = len(self)
        enough = self.size - before >= max(1, self.size // WAIT)
        while self.waiting and len(self) < self.size:
            number = self.waiting[0]
            request = self.requests[number]
            if before and not enough and self.slots.find(request.read)[1] < len(request.read):
                break
            self.waiting.popleft()
            self.slots.start(request.read, len(self))
            self.sequences.append(_sequence(number, request))
        if len(self) > before:
            self.slots.read()
            self._settings = _settings(self.sequences, self.slots.networks[0].device)
        return bool(self.sequences)

    def advance(self) -> None:
        """One token for each running sequence."""
        scores = self._mixture()
        if self._settings is not None:
            scores = truncated(scores, *self._settings)
        uniform = [s.uniforms[len(s.tokens)] for s in self.sequences]
        tokens, logp = draw(scores, torch.tensor(uniform, dtype=torch.float64, device=scores.device))
        for sequence, token, value in zip(self.sequences, tokens.tolist(), logp.tolist(), strict=True):
            sequence.tokens.append(token)
            sequence.logp.append(value)

    def _mixture(self) -> Tensor:
        """Scores [S, V]. Normalising the networks would add a constant, which the softmax cancels."""
        newest, positions = [s.newest for s in self.sequences], [s.position for s in self.sequences]
        mixture: Tensor | None = None
        for decoding, weight in zip(self.slots.decodings, self.weights, strict=True):
            logits = decoding.scores(newest, positions)
            weighted = logits if weight == 1 else weight * logits
            mixture = weighted if mixture is None else mixture + weighted
        assert mixture is not None
        return mixture

    def retire(self, each: int | None = None) -> list[tuple[int, Completion]]:
        """Take out the sequences that are complete, or have drawn `each` tokens; their slots become free."""
        out: list[tuple[int, Completion]] = []
        for slot in reversed(range(len(self))):
            s = self.sequences[slot]
            ended = s.newest in self.stop
            finished = ended or len(s.tokens) == s.request.max_tokens
            if finished or s.drawn == each:
                out.append((s.number, s.completion(ended=ended, finished=finished)))
                self._free(slot)
        if out and self.sequences:
            self._settings = _settings(self.sequences, self.slots.networks[0].device)
        return out

    def _free(self, slot: int) -> None:
        """Others move up, and the last of the first slots is none any more; a conversation stays behind the running."""
        keep = self.sequences[slot].request.keep
        if keep:
            self.slots.held[slot] = self.sequences[slot].read
        hole = slot
        for source in self._moving_up(slot):
            if keep:
                self.slots.swap(hole, source)
            else:
                self.slots.move(source, hole, self.sequences[source].position)
            self.sequences[hole], hole = self.sequences[source], source
        self.sequences.pop()

    def _moving_up(self, hole: int) -> Iterator[int]:
        """Each block gives its longest sequence to the one before it, so that the first blocks hold the longest ones.
        The hole that is left takes the last running sequence."""
        size, last = self.slots.decodings[0].block, len(self) - 1
        for start in range(hole - hole % size + size, last, size):
            longest = max(range(start, min(start + size, last)), key=lambda i: self.sequences[i].position)
            if self.sequences[longest].position > self.sequences[last].position:
                hole = longest
                yield hole
        if hole != last:
            yield last

    def suspend(self) -> None:
        """Take out all others as they are."""
        for slot, s in enumerate(self.sequences):
            self.slots.held[slot] = s.read
            self.suspended[s.number] = s.completion(ended=False, finished=False)

    def so_far(self, number: int) -> Completion:
        """What there is of a request that is not finished."""
        return self.suspended.get(number, self.requests[number].partial)


def _sequence(number: int, request: Request) -> _Sequence:
    numbers = uniforms(request.seed, request.max_tokens)
    return _Sequence(number, request, numbers, list(request.partial.tokens), list(request.partial.logp))


def _order(requests: Sequence[Request], slots: Slots) -> list[int]:
    """Answers that are begun or go on with a conversation first; then the longest expected, a prompt's all together."""
    longest: dict[tuple[int, ...], int] = {}
    for r in requests:
        longest[r.read] = max(longest.get(r.read, 0), r.remaining)
    going_on = {read: slots.find(read)[1] > 0 for read in longest} if any(slots.held) else {}

    def place(i: int) -> tuple[object, ...]:
        r = requests[i]
        new = not r.partial.tokens and not going_on.get(r.read, False)
        return new, -longest[r.read], -len(r.read), r.read, -r.remaining, i

    return sorted(range(len(requests)), key=place)


def _settings(sequences: Sequence[_Sequence], device: torch.device) -> tuple[Tensor, Tensor, Tensor] | None:
    """Temperature, top_k and top_p of each; None where all leave the law as it is."""
    asked = [(s.request.temperature, s.request.top_k, s.request.top_p) for s in sequences]
    if all(a == (1.0, 0, 1.0) for a in asked):
        return None
    temperature, top_k, top_p = zip(*asked, strict=True)
    return (
        torch.tensor(temperature, dtype=torch.float64, device=device),
        torch.tensor(top_k, device=device),
        torch.tensor(top_p, dtype=torch.float64, device=device),
    )
