"""What a sampler is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from posttrain.errors import ConfigError

Mix = tuple[tuple[str, float], ...]  # roles of the networks and their weights in a geometric mixture
POLICY: Mix = (("policy", 1.0),)
Progress = Callable[[int, int], None]  # (finished, total)


@dataclass(frozen=True)
class Completion:
    """The tokens drawn, the stop token included, and the log-prob of each under the law it was drawn from: after
    temperature and truncation, renormalised. Greedy tokens come from a point mass: their log-prob is 0."""

    tokens: tuple[int, ...]
    logp: tuple[float, ...]
    ended: bool  # by a stop token, not by max_tokens
    versions: tuple[int, ...] = ()  # of the weights that each token was drawn from: what its request said
    finished: bool = True  # False: suspended; a request that has `partial` with it goes on


NOTHING = Completion((), (), ended=False, finished=False)
OnFinished = Callable[
    [int, Completion], bool
]  # (number of the request, its answer) as it finishes -> suspend the others


@dataclass(frozen=True)
class Request:
    """One answer to draw. Its seed decides the random numbers, whatever runs beside it.

    Temperature 0 is greedy. top_k = 0 and top_p = 1 leave the law whole. An answer that was `partial` under older
    weights goes on as if it had been drawn from the present ones; its own log-probs and versions stay.
    """

    prompt: tuple[int, ...]
    seed: int
    max_tokens: int
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    partial: Completion = NOTHING
    version: int = 0  # of the weights, noted with every token that is drawn
    keep: bool = False  # its keys and values, for a request that goes on after its answer

    def __post_init__(self) -> None:
        rules = {
            "the prompt must hold at least one token": len(self.prompt) > 0,
            f"max_tokens must be at least 1, not {self.max_tokens}": self.max_tokens >= 1,
            f"temperature must be 0 (greedy) or more, not {self.temperature}": self.temperature >= 0,
            f"top_k must be 0 (off) or more, not {self.top_k}": self.top_k >= 0,
            f"top_p must be in (0, 1], not {self.top_p}": 0 < self.top_p <= 1,
            "an answer that is finished cannot go on": not self.partial.finished and self.remaining > 0,
        }
        for rule, kept in rules.items():
            if not kept:
                raise ConfigError(f"sampling: {rule}")

    @property
    def remaining(self) -> int:
        """Tokens that may still be drawn."""
        return self.max_tokens - len(self.partial.tokens)

    @property
    def read(self) -> tuple[int, ...]:
        """What the networks have read before the next token is drawn from its last one."""
        return (*self.prompt, *self.partial.tokens)[:-1]


@dataclass(frozen=True)
class Pause:
    """When to suspend answers: what is not finished by then comes back unfinished.

    After so many `finished` requests or `tokens` drawn all requests stop; each of them after `each` tokens of its own.
    All count what one call of `generate` draws.
    """

    finished: int | None = None
    tokens: int | None = None
    each: int | None = None

    def __post_init__(self) -> None:
        for name, number in vars(self).items():
            if number is not None and number < 1:
                raise ConfigError(f"sampling: a pause after {number} {name} draws nothing; use 1 or more")


NEVER = Pause()


class Sampler(Protocol):
    """Anything that answers requests, in their order."""

    def generate(
        self,
        requests: Sequence[Request],
        mix: Mix = POLICY,
        progress: Progress | None = None,
        *,
        pause: Pause = NEVER,
        on_finished: OnFinished | None = None,
    ) -> list[Completion]: ...
