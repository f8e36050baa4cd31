"""Requests to a sampler, and its completions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from posttrain.core.decoder import Decoder
from posttrain.errors import ConfigError
from posttrain.sampling.stop import Stop

Mix = tuple[tuple[str, float], ...]  # (role, weight) of each network in a geometric mixture
Distribution = Mix | Decoder  # what tokens are drawn from
POLICY: Mix = (("policy", 1.0),)
Progress = Callable[[int, int], None]  # (finished, total)


@dataclass(frozen=True)
class Completion:
    """The tokens drawn, including the stop token, and their log-probs under the distribution that was sampled from.

    That is after temperature and truncation, renormalised. Greedy tokens come from a point mass: their log-prob is 0.
    """

    tokens: tuple[int, ...]
    logp: tuple[float, ...]
    ended: bool  # by a stop token or a stop string, not by max_tokens
    versions: tuple[int, ...] = ()  # for each token, `version` of the request it was drawn for
    finished: bool = True  # False: suspended; a request with it as `partial` resumes it


NOTHING = Completion((), (), ended=False, finished=False)
OnFinished = Callable[
    [int, Completion], bool
]  # (number of a request, its completion) when it finishes -> whether to suspend the others


@dataclass(frozen=True)
class Request:
    """One answer to draw. Its random numbers depend on its seed alone, not on the requests that run beside it.

    Temperature 0 is greedy. top_k = 0 and top_p = 1 do not truncate. A `partial` answer that was drawn under older
    weights is resumed under the current ones; the log-probs and versions of its tokens stay.
    """

    prompt: tuple[int, ...]
    seed: int
    max_tokens: int
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    partial: Completion = NOTHING
    version: int = 0  # of the weights, recorded with every token that is drawn
    keep: bool = False  # keep its keys and values for a request that continues the conversation
    stop: Stop | None = None  # where it ends, besides the tokens that end every answer

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
        """The tokens that the networks read before decoding starts: all but the last one."""
        return (*self.prompt, *self.partial.tokens)[:-1]


@dataclass(frozen=True)
class Pause:
    """When to suspend answers. They are returned unfinished.

    All requests are suspended when this number of them is `finished` or this number of `tokens` has been drawn, and
    each request after `each` tokens of its own. Only tokens of the same call of `generate` count.
    """

    finished: int | None = None
    tokens: int | None = None
    each: int | None = None

    def __post_init__(self) -> None:
        for name, number in vars(self).items():
            if number is not None and number < 1:
                raise ConfigError(f"sampling: a pause after {number} {name} draws nothing; use 1 or more")


NEVER = Pause()


class Arrivals(Protocol):
    """Requests that arrive while others are answered. Their numbers go on from those of the call of `generate`."""

    @property
    def away(self) -> int:
        """The number of conversations whose next requests will arrive once somebody has answered them."""
        ...

    def take(self, wait: bool) -> Sequence[Request]:
        """Return the requests that have arrived since the last time. The engine asks once before every decoding step.

        `wait`: nothing is left to do, so block until one arrives; an empty answer then says that none ever will.
        """
        ...


class Sampler(Protocol):
    """Anything that answers requests, in their order."""

    def generate(
        self,
        requests: Sequence[Request],
        source: Distribution = POLICY,
        progress: Progress | None = None,
        *,
        pause: Pause = NEVER,
        on_finished: OnFinished | None = None,
        arrivals: Arrivals | None = None,
    ) -> list[Completion]: ...


def roles_of(source: Distribution) -> tuple[str, ...]:
    """The roles of the models that tokens are drawn from."""
    return source.roles if isinstance(source, Decoder) else tuple(role for role, _ in source)
