"""A choice: which of several answers to a prompt is given, as a pure function of their rewards or of their agreement.

The signature is the declaration: a keyword-only parameter is a setting, of which `n` is the number of answers that are
drawn. It returns the place of the answer.

    rewards      a number of each answer: [n]
    uniforms     random numbers in [0, 1): [n]
    agreement    how well each answer agrees with each: [n][n]
    finals       what each answer says in the end: [n] texts
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Choice:
    """A function that picks one of n answers, with its settings."""

    name: str
    function: Callable[..., int]
    settings: tuple[tuple[str, Any], ...] = ()

    @cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The parameters of the function by name."""
        return inspect.signature(self.function).parameters

    @property
    def n(self) -> int:
        """Answers that are drawn for each one that is given."""
        return int(dict(self.settings).get("n", self.parameters["n"].default))

    @property
    def compares(self) -> bool:
        """Whether it reads how answers agree with each other, and no reward of each."""
        return "agreement" in self.parameters

    @property
    def kl_bound(self) -> float:
        """The most that the distribution of its answers is away from that of the model, as a KL in nats.

        An answer is at most n times as likely as before: log n. A strict order by reward: log n - (n - 1)/n.
        """
        ordered = "rewards" in self.parameters and not {"uniforms", "finals"} & set(self.parameters)
        return math.log(self.n) - (self.n - 1) / self.n * ordered

    def __call__(self, **read: Sequence[Any]) -> int:
        """The place of the answer that is given."""
        return self.function(**{k: x for k, x in read.items() if k in self.parameters}, **dict(self.settings))
