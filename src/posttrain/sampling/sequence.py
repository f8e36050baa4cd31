"""One sequence that is being sampled: its request, and the tokens drawn so far."""

from __future__ import annotations

from dataclasses import dataclass

from posttrain.sampling.distribution import uniforms
from posttrain.sampling.request import Completion, Request


@dataclass
class RunningSequence:
    """A prompt and the tokens of its answer so far, those of an earlier call included."""

    number: int  # of the request
    request: Request
    uniforms: list[float]  # a random number in [0, 1) for every token of the answer
    tokens: list[int]
    logp: list[float]

    @classmethod
    def start(cls, number: int, request: Request) -> RunningSequence:
        """Begin a request, or resume its partial answer."""
        random = uniforms(request.seed, request.max_tokens)
        return cls(number, request, random, list(request.partial.tokens), list(request.partial.logp))

    @property
    def newest(self) -> int:
        """The last token, which the networks have not read yet."""
        return self.tokens[-1] if self.tokens else self.request.prompt[-1]

    @property
    def position(self) -> int:
        """The position of the newest token, which is also the number of tokens before it."""
        return len(self.request.prompt) + len(self.tokens) - 1

    @property
    def read(self) -> tuple[int, ...]:
        """The tokens before the newest one, whose keys and values are in the cache."""
        return (*self.request.prompt, *self.tokens)[:-1]

    @property
    def num_drawn(self) -> int:
        """Tokens drawn by this call."""
        return len(self.tokens) - len(self.request.partial.tokens)

    def ended(self, stop: frozenset[int]) -> bool:
        """Whether the newest token ends the answer: one of the tokens `stop`, or where the request says."""
        own = self.request.stop
        return bool(self.tokens) and (self.newest in stop or (own is not None and own(self.tokens)))

    def completion(self, *, ended: bool, finished: bool) -> Completion:
        """The answer so far. Tokens of this call carry the request's version of the weights."""
        versions = (*self.request.partial.versions, *[self.request.version] * self.num_drawn)
        return Completion(tuple(self.tokens), tuple(self.logp), ended, versions, finished)
