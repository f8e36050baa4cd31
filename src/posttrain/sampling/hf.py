"""Sampling through `generate` of transformers, for networks that cannot run on flat tokens. It is slower."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor

from posttrain.core.decoder import Decoder
from posttrain.errors import ConfigError
from posttrain.models.kernels.padded_blocks import group_similar
from posttrain.models.network import Network
from posttrain.models.padded import Padded
from posttrain.sampling.distribution import draw, truncated
from posttrain.sampling.engine import check, of_role
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
)
from posttrain.sampling.sequence import RunningSequence


class HfEngine:
    """The interface, distributions and random numbers of the native engine, for one network and without pauses.

    It samples `slots` answers at once, and the next ones when all of these are finished; requests that arrive meanwhile
    wait for that. Nothing is padded, because some layers with a recurrent state do not support it: a batch first reads
    as many tokens as its shortest prompt has, and then reads the rest of the longer prompts token by token, while it
    draws answers to the shorter ones.
    """

    def __init__(self, networks: Mapping[str, Network], stop: frozenset[int], slots: int = 64) -> None:
        self.networks = networks
        self.stop = stop
        self.slots = slots
        self.occupancy = Occupancy()

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
        """Return one completion for each request, in order.

        Once `on_finished` returns True no further batch is started, and the requests that are left are unfinished.
        Raises ConfigError for a mixture, a decoder or a pause, ModelError for a request that does not fit the network.
        """
        network = self._network(source)
        if pause != NEVER:
            raise ConfigError("sampling through transformers cannot suspend answers; the native engine can")
        asked: list[Request] = []
        done: dict[int, Completion] = {}
        enough, batches, new = False, list[list[int]](), list(requests)
        while not enough:
            if arrivals is not None:
                new += arrivals.take(wait=not (new or batches))
            if new:
                for number, request in enumerate(new, len(asked)):
                    check(number, request, [network])
                asked += new
                batches, new = list(_batches(asked, [i for i in range(len(asked)) if i not in done], self.slots)), []
            if not batches:
                break
            for number, completion in self._run(network, asked, batches.pop(0), bool(batches)):
                done[number] = completion
                if on_finished is not None:
                    enough |= on_finished(number, completion)
            if progress is not None:
                progress(len(done), len(asked))
        return [done.get(i, r.partial) for i, r in enumerate(asked)]

    def _run(
        self, network: Padded, asked: Sequence[Request], numbers: Sequence[int], has_waiting: bool
    ) -> list[tuple[int, Completion]]:
        """Answer the requests of these numbers together."""
        sequences = [_HfSequence(i, asked[i], self.stop) for i in numbers]
        batch = _Batch(sequences, network.vocab_size, min(self.slots, len(asked)), has_waiting=has_waiting)
        batch.run(network, self.occupancy)
        return [(number, s.completion) for number, s in zip(numbers, batch.sequences, strict=True)]

    def _network(self, source: Distribution) -> Padded:
        if isinstance(source, Decoder):
            raise ConfigError(
                f"sampling through transformers cannot decode with {source.name}; the native engine can, which runs "
                "Llama and similar models"
            )
        (role, weight), *others = source
        if others or weight != 1:
            named = " and ".join(f"{role} (weight {weight})" for role, weight in source)
            raise ConfigError(f"sampling through transformers cannot mix models, here {named}; the native engine can")
        return cast(Padded, of_role(self.networks, role))


def _batches(requests: Sequence[Request], numbers: Sequence[int], slots: int) -> Iterator[list[int]]:
    """Yield numbers of requests with prompts of similar length, so that none waits long for another."""
    lengths = [len(requests[i].prompt) + len(requests[i].partial.tokens) for i in numbers]
    for similar in group_similar(lengths):
        for start in range(0, len(similar), slots):
            yield [numbers[i] for i in similar[start : start + slots]]


class _HfSequence:
    """A running sequence, and the tokens that `generate` has to read before it draws new ones."""

    def __init__(self, number: int, request: Request, stop: frozenset[int]) -> None:
        self.running = RunningSequence.start(number, request)
        self.stop = stop
        self.given = (*request.prompt, *request.partial.tokens)

    @property
    def max_length(self) -> int:
        request = self.running.request
        return len(request.prompt) + request.max_tokens

    @property
    def ended(self) -> bool:
        return self.running.ended(self.stop)

    @property
    def done(self) -> bool:
        return self.ended or len(self.running.tokens) == self.running.request.max_tokens

    @property
    def uniform(self) -> float:
        """The random number of the next token."""
        return 0.0 if self.done else self.running.uniforms[len(self.running.tokens)]

    def advance(self, position: int, token: int, logp: float) -> int:
        """Return the token at a position: the given one, else the one drawn, which is appended to the answer.

        A sequence that is done ignores what is drawn for it.
        """
        if position < len(self.given):
            return self.given[position]
        if not self.done:
            self.running.tokens.append(token)
            self.running.logp.append(logp)
        return token

    @property
    def completion(self) -> Completion:
        return self.running.completion(ended=self.ended, finished=True)


class _Batch:
    """Sequences that are sampled together. It draws their tokens and lets `generate` choose no others.

    `size`: slots of a full batch. `has_waiting`: whether other batches follow.
    """

    def __init__(self, sequences: list[_HfSequence], vocab_size: int, size: int, *, has_waiting: bool) -> None:
        self.sequences = sequences
        self.vocab_size = vocab_size
        self.size = size
        self.has_waiting = has_waiting
        requests = [s.running.request for s in sequences]
        self.temperature = torch.tensor([r.temperature for r in requests], dtype=torch.float64)
        self.top_k = torch.tensor([r.top_k for r in requests])
        self.top_p = torch.tensor([r.top_p for r in requests], dtype=torch.float64)

    def __len__(self) -> int:
        """The number of sequences that are not done."""
        return sum(not s.done for s in self.sequences)

    def run(self, network: Padded, occupancy: Occupancy) -> None:
        """Sample until all sequences are done."""
        shortest = min(len(s.given) for s in self.sequences)
        longest = max(s.max_length for s in self.sequences)
        tokens = torch.tensor([s.given[:shortest] for s in self.sequences], device=network.device)

        def choose(tokens: Tensor, scores: Tensor) -> Tensor:
            occupancy.count(self)
            return self._choose(tokens, scores)

        network.generate(tokens, longest - shortest, choose, self._done)

    def _choose(self, tokens: Tensor, scores: Tensor) -> Tensor:
        """Draw the token after each row of tokens [B, n] and return scores [B, V] that allow only this one."""
        logits = scores[:, : self.vocab_size].to(torch.promote_types(scores.dtype, torch.float32))
        settings = (x.to(scores.device) for x in (self.temperature, self.top_k, self.top_p))
        uniform = torch.tensor([s.uniform for s in self.sequences], dtype=torch.float64, device=scores.device)
        drawn, logp = draw(truncated(logits, *settings), uniform)
        new = zip(self.sequences, drawn.tolist(), logp.tolist(), strict=True)
        position = tokens.shape[1]
        chosen = torch.tensor([s.advance(position, token, value) for s, token, value in new], device=scores.device)
        return torch.full_like(scores, -torch.inf).scatter_(1, chosen[:, None], 0)

    def _done(self, tokens: Tensor, scores: Tensor) -> Tensor:  # noqa: ARG002
        return torch.tensor([s.done for s in self.sequences], device=tokens.device)
