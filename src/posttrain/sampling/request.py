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
class Request:
    """One answer to draw. Its seed decides the random numbers, whatever runs beside it.

    Temperature 0 is greedy. top_k = 0 and top_p = 1 leave the law whole.
    """

    prompt: tuple[int, ...]
    seed: int
    max_tokens: int
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        rules = {
            "the prompt must hold at least one token": len(self.prompt) > 0,
            f"max_tokens must be at least 1, not {self.max_tokens}": self.max_tokens >= 1,
            f"temperature must be 0 (greedy) or more, not {self.temperature}": self.temperature >= 0,
            f"top_k must be 0 (off) or more, not {self.top_k}": self.top_k >= 0,
            f"top_p must be in (0, 1], not {self.top_p}": 0 < self.top_p <= 1,
        }
        for rule, kept in rules.items():
            if not kept:
                raise ConfigError(f"sampling: {rule}")


@dataclass(frozen=True)
class Completion:
    """The tokens drawn, the stop token included, and the log-prob of each under the law it was drawn from: after
    temperature and truncation, renormalised. Greedy tokens come from a point mass: their log-prob is 0."""

    tokens: tuple[int, ...]
    logp: tuple[float, ...]
    ended: bool  # by a stop token, not by max_tokens


class Sampler(Protocol):
    """Anything that answers requests, in their order."""

    def generate(
        self, requests: Sequence[Request], mix: Mix = POLICY, progress: Progress | None = None
    ) -> list[Completion]: ...
