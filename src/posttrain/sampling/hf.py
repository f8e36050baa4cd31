"""The slow way: `generate` of transformers, for networks that run as it wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor

from posttrain.errors import ConfigError
from posttrain.models.kernels.padded_blocks import similar
from posttrain.models.network import Network
from posttrain.models.padded import Padded
from posttrain.sampling.distribution import draw, truncated, uniforms
from posttrain.sampling.engine import check, of_role
from posttrain.sampling.occupancy import Occupancy
from posttrain.sampling.request import NEVER, POLICY, Completion, Mix, OnFinished, Pause, Progress, Request


class HfEngine:
    """The interface, laws and random numbers of the native engine, for one network at a time and without pauses.

    It writes `slots` answers at once, and the next ones when all of these are finished. Nothing is padded, which not
    every layer with a state would bear: a batch reads as many tokens as its shortest prompt has, then the rest of the
    others token by token, while the first ones write already.
    """

    def __init__(self, networks: Mapping[str, Network], stop: frozenset[int], slots: int = 64) -> None:
        self.networks, self.stop, self.slots = networks, stop, slots
        self.occupancy = Occupancy()

    def generate(
        self,
        requests: Sequence[Request],
        mix: Mix = POLICY,
        progress: Progress | None = None,
        *,
        pause: Pause = NEVER,
        on_finished: OnFinished | None = None,
    ) -> list[Completion]:
        """One completion for each request, in their order; those of the batches that come after `on_finished` has
        returned True are not finished.

        Raises ConfigError for a mixture or a pause, ModelError for a request that does not fit the network.
        """
        network = self._network(mix)
        if pause != NEVER:
            raise ConfigError("sampling through transformers cannot suspend answers; the native engine can")
        for number, request in enumerate(requests):
            check(number, request, [network])
        done: dict[int, Completion] = {}
        enough, batches = False, list(_batches(requests, self.slots))
        while batches and not enough:
            numbers = batches.pop(0)
            batch = _Batch([requests[i] for i in numbers], self.stop, network.vocabulary)
            batch.size, batch.waits = min(self.slots, len(requests)), bool(batches)
            batch.write(network, self.occupancy)
            for number, sequence in zip(numbers, batch.sequences, strict=True):
                done[number] = sequence.completion
                if on_finished is not None:
                    enough |= on_finished(number, done[number])
            if progress is not None:
                progress(len(done), len(requests))
        return [done.get(i, r.partial) for i, r in enumerate(requests)]

    def _network(self, mix: Mix) -> Padded:
        (role, weight), *others = mix
        if others or weight != 1:
            named = " and ".join(f"{role} (weight {weight})" for role, weight in mix)
            raise ConfigError(f"sampling through transformers cannot mix models, here {named}; the native engine can")
        return cast(Padded, of_role(self.networks, role))


def _batches(requests: Sequence[Request], slots: int) -> Iterator[list[int]]:
    """Numbers of requests that have about as much to read, so that no one waits long for another."""
    for numbers in similar([len(r.prompt) + len(r.partial.tokens) for r in requests]):
        for start in range(0, len(numbers), slots):
            yield numbers[start : start + slots]


class _Sequence:
    """A prompt and what is written of its answer."""

    def __init__(self, request: Request, stop: frozenset[int]) -> None:
        self.request, self.stop = request, stop
        self.known = (*request.prompt, *request.partial.tokens)
        self.tokens, self.logp = list(request.partial.tokens), list(request.partial.logp)
        self.uniforms = uniforms(request.seed, request.max_tokens)

    @property
    def ended(self) -> bool:
        return bool(self.tokens) and self.tokens[-1] in self.stop

    @property
    def done(self) -> bool:
        return self.ended or len(self.tokens) == self.request.max_tokens

    @property
    def uniform(self) -> float:
        """The random number of the next token."""
        return 0.0 if self.done else self.uniforms[len(self.tokens)]

    def take(self, place: int, token: int, logp: float) -> int:
        """The token at a place: the one drawn for it, unless it is known. What comes after the end means nothing."""
        if place < len(self.known):
            return self.known[place]
        if not self.done:
            self.tokens.append(token)
            self.logp.append(logp)
        return token

    @property
    def completion(self) -> Completion:
        drawn = len(self.tokens) - len(self.request.partial.tokens)
        versions = (*self.request.partial.versions, *[self.request.version] * drawn)
        return Completion(tuple(self.tokens), tuple(self.logp), self.ended, versions)


class _Batch:
    """Sequences that are written together: it draws their tokens, leaves `generate` no other, and says who is done."""

    size: int  # of a full batch
    waits: bool  # whether others wait for this one

    def __init__(self, requests: Sequence[Request], stop: frozenset[int], vocabulary: int) -> None:
        self.sequences, self.vocabulary = [_Sequence(r, stop) for r in requests], vocabulary
        self.temperature = torch.tensor([r.temperature for r in requests], dtype=torch.float64)
        self.top_k = torch.tensor([r.top_k for r in requests])
        self.top_p = torch.tensor([r.top_p for r in requests], dtype=torch.float64)

    def __len__(self) -> int:
        return sum(not s.done for s in self.sequences)

    def write(self, network: Padded, occupancy: Occupancy) -> None:
        shortest = min(len(s.known) for s in self.sequences)
        longest = max(len(s.request.prompt) + s.request.max_tokens for s in self.sequences)
        tokens = torch.tensor([s.known[:shortest] for s in self.sequences], device=network.device)

        def choose(tokens: Tensor, scores: Tensor) -> Tensor:
            occupancy.count(self)
            return self.chosen(tokens, scores)

        network.generate(tokens, longest - shortest, choose, self.done)

    def chosen(self, tokens: Tensor, scores: Tensor) -> Tensor:
        """Scores [B, V] that leave one token to each row of tokens [B, n]."""
        wide = scores[:, : self.vocabulary].to(torch.promote_types(scores.dtype, torch.float32))
        settings = (x.to(scores.device) for x in (self.temperature, self.top_k, self.top_p))
        uniform = torch.tensor([s.uniform for s in self.sequences], dtype=torch.float64, device=scores.device)
        drawn, logp = draw(truncated(wide, *settings), uniform)
        found = zip(self.sequences, drawn.tolist(), logp.tolist(), strict=True)
        taken = torch.tensor([s.take(tokens.shape[1], *new) for s, *new in found], device=scores.device)
        return torch.full_like(scores, -torch.inf).scatter_(1, taken[:, None], 0)

    def done(self, tokens: Tensor, scores: Tensor) -> Tensor:  # noqa: ARG002
        return torch.tensor([s.done for s in self.sequences], device=tokens.device)
