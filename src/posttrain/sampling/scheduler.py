"""The scheduler of one call of the engine: which requests run, which wait for a slot, which are finished."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from posttrain.sampling.distribution import draw, truncated
from posttrain.sampling.next_token import Scores
from posttrain.sampling.request import Completion, Request
from posttrain.sampling.sequence import RunningSequence
from posttrain.sampling.slots import Slots

ADMIT_SHARE = 16  # prompts are read once 1/16 of the slots are free


class Scheduler:
    """Runs up to `most` sequences in the first slots, one step at a time; sequence i of the running ones is in slot i.

    The requests that are expected to run longest start first, so that none is left to run alone. `arriving`: more may
    come, as the next turns of those that run. Then as many conversations are underway as the cache keeps, and the one
    that is least far goes on: they end together, and until then there is work for every slot.
    """

    def __init__(self, slots: Slots, most: int, scores: Scores, stop: frozenset[int], *, arriving: bool = False):
        self.requests: list[Request] = []
        self.slots = slots
        self.most = most
        self.size = 0  # slots that the requests could have kept busy so far
        self.scores = scores
        self.stop = stop
        self.arriving = arriving
        self.waiting: deque[int] = deque()  # those that go on, and then those that begin
        self.going_on = 0  # how many of them
        self.away = 0  # conversations that may go on, once somebody has answered
        self.running: list[RunningSequence] = []
        self.suspended: dict[int, Completion] = {}
        self._settings: tuple[Tensor, Tensor, Tensor] | None = None

    def __len__(self) -> int:
        """The number of running sequences."""
        return len(self.running)

    @property
    def has_waiting(self) -> bool:
        """Whether requests wait for a slot."""
        return bool(self.waiting)

    def add(self, requests: Sequence[Request]) -> None:
        """Let requests wait for a slot. Their numbers go on from those before them."""
        self.requests += requests
        known = {number: self.requests[number] for number in self.waiting}
        known |= dict(enumerate(requests, len(self.requests) - len(requests)))
        order, self.going_on = _order(known, self.slots, least_first=self.arriving)
        self.waiting = deque(order)
        self.size = max(self.size, min(self.most, len(self) + len(self.waiting)))

    def admit(self) -> bool:
        """Start waiting requests. Returns False when nothing runs.

        A request whose tokens are all in the cache starts at once, any other only when enough slots are free to read
        several prompts together, or all that wait.
        """
        before = len(self)
        free = self.size - before
        enough = free >= min(max(1, self.size // ADMIT_SHARE), len(self.waiting))
        while self.waiting and len(self) < self.size:
            place = self._next()
            number = self.waiting[place]
            request = self.requests[number]
            if before and not enough and self.slots.longest_cached_prefix(request.read)[1] < len(request.read):
                break
            del self.waiting[place]
            self.going_on -= place < self.going_on
            self.slots.start(request.read, len(self))
            self.running.append(RunningSequence.start(number, request))
        if len(self) > before:
            self.slots.prefill()
            self._settings = _settings(self.running, self.slots.device)
        return bool(self.running)

    def _next(self) -> int:
        """The place of the request that starts next: one that goes on, unless another conversation may begin."""
        room = len(self) + self.going_on + self.away < self.slots.most
        return self.going_on if self.arriving and room and self.going_on < len(self.waiting) else 0

    def advance(self) -> None:
        """Draw one token for each running sequence."""
        scores = self.scores([s.newest for s in self.running], [s.position for s in self.running])
        if self._settings is not None:
            scores = truncated(scores, *self._settings)
        uniform = [s.uniforms[len(s.tokens)] for s in self.running]
        tokens, logp = draw(scores, torch.tensor(uniform, dtype=torch.float64, device=scores.device))
        for sequence, token, value in zip(self.running, tokens.tolist(), logp.tolist(), strict=True):
            sequence.tokens.append(token)
            sequence.logp.append(value)

    def pop_finished(self, each: int | None = None) -> list[tuple[int, Completion]]:
        """Remove the sequences that are finished, or have drawn `each` tokens, and free their slots.

        Returns the number of each request and its completion.
        """
        popped: list[tuple[int, Completion]] = []
        for slot in reversed(range(len(self))):
            s = self.running[slot]
            ended = s.ended(self.stop)
            finished = ended or len(s.tokens) == s.request.max_tokens
            if finished or s.num_drawn == each:
                popped.append((s.number, s.completion(ended=ended, finished=finished)))
                self._free(slot)
        if popped and self.running:
            self._settings = _settings(self.running, self.slots.device)
        return popped

    def _free(self, slot: int) -> None:
        """Compact: running sequences keep the lowest slots; a kept conversation moves just past them.

        With blocks of 2 slots, and a letter for every token of a sequence:

            aaaa (free) | ccc dd | e      slot 1 becomes free
            aaaa ccc | (free) dd | e      the longest sequence of the next block moves up
            aaaa ccc | e dd |             the last sequence fills the hole that remains
        """
        keep = self.running[slot].request.keep
        if keep:
            self.slots.keep(slot, self.running[slot].read)
        hole = slot
        for source in self._moving_up(slot):
            if keep:
                self.slots.swap(hole, source)
            else:
                self.slots.move(source, hole, self.running[source].position)
            self.running[hole], hole = self.running[source], source
        self.running.pop()

    def _moving_up(self, hole: int) -> Iterator[int]:
        """Yield the slots whose sequences move, each into the hole that the one before has left.

        The longest sequence of each later block moves to the block before it, so that the first blocks hold the longest
        ones. The last running sequence fills the hole that remains.
        """
        size, last = self.slots.decodings[0].block, len(self) - 1
        for start in range(hole - hole % size + size, last, size):
            longest = max(range(start, min(start + size, last)), key=lambda i: self.running[i].position)
            if self.running[longest].position > self.running[last].position:
                hole = longest
                yield hole
        if hole != last:
            yield last

    def suspend(self) -> None:
        """Suspend all running sequences with the tokens they have."""
        for slot, s in enumerate(self.running):
            self.slots.keep(slot, s.read)
            self.suspended[s.number] = s.completion(ended=False, finished=False)

    def partial(self, number: int) -> Completion:
        """The partial answer to a request that is not finished."""
        return self.suspended.get(number, self.requests[number].partial)


def _order(requests: Mapping[int, Request], slots: Slots, *, least_first: bool) -> tuple[list[int], int]:
    """The order in which requests start: partial answers and continued conversations, then the longest expected ones.

    Requests with the same prompt stay together. `least_first`: of the continued ones the shortest are first. Also
    returns how many are continued.
    """
    longest: dict[tuple[int, ...], int] = {}
    for r in requests.values():
        longest[r.read] = max(longest.get(r.read, 0), r.remaining)
    known = slots.goes_on if least_first else lambda read: slots.longest_cached_prefix(read)[1] > 0
    continued = {read: known(read) for read in longest} if slots.used else {}

    def new(r: Request) -> bool:
        return not r.partial.tokens and not continued.get(r.read, False)

    def key(i: int) -> tuple[object, ...]:
        r = requests[i]
        begins = new(r)
        first = len(r.read) if least_first and not begins else 0
        return begins, first, -longest[r.read], -len(r.read), r.read, -r.remaining, i

    return sorted(requests, key=key), sum(not new(r) for r in requests.values())


def _settings(sequences: Sequence[RunningSequence], device: torch.device) -> tuple[Tensor, Tensor, Tensor] | None:
    """Temperature, top_k and top_p of each sequence; None where no setting changes the distribution."""
    settings = [(s.request.temperature, s.request.top_k, s.request.top_p) for s in sequences]
    if all(s == (1.0, 0, 1.0) for s in settings):
        return None
    temperature, top_k, top_p = zip(*settings, strict=True)
    return (
        torch.tensor(temperature, dtype=torch.float64, device=device),
        torch.tensor(top_k, device=device),
        torch.tensor(top_p, dtype=torch.float64, device=device),
    )
