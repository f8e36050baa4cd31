"""The calls of a training step: which model generates, is read and is trained, on how many tokens, after what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from posttrain.core.plan import Plan
from posttrain.core.vocabulary import When

Kind = Literal["generate", "read", "train"]


@dataclass(frozen=True)
class Size:
    """A model: parameters, layers, width of its states, width of keys and values, and bytes of a number."""

    parameters: float
    layers: int
    width: int
    kv_width: int
    bytes: int = 2


@dataclass(frozen=True)
class Load:
    """The tokens of a step: answers, and tokens of a prompt and an answer. `updates`: passes times minibatches."""

    answers: int
    prompt: int
    answer: int
    passes: int = 1
    updates: int = 1

    @property
    def tokens(self) -> int:
        """Tokens of all rows, prompt and answer."""
        return self.answers * (self.prompt + self.answer)


@dataclass(frozen=True)
class Call:
    """One call. `after`: the names of those that must be over before it begins."""

    name: str
    role: str
    kind: Kind
    after: tuple[str, ...] = ()


def calls_of(plan: Plan, *, samples: bool) -> tuple[Call, ...]:
    """The calls of a step of a planned method, in an order that respects `after`.

    `samples`: whether it writes answers. Several outputs of one model at one time are one call.
    """
    first = (Call("generate policy", "policy", "generate"),) if samples else ()
    before = tuple(call.name for call in first)
    roles = {
        source.model for (when, _), wants in plan.forwards.items() if when is When.ONCE for source in wants.values()
    }
    read = tuple(Call(f"read {role}", role, "read", before) for role in sorted(roles))
    ready = before + tuple(call.name for call in read)
    return (*first, *read, *(Call(f"train {role}", role, "train", ready) for role in plan.trained))


def known(calls: tuple[Call, ...], sizes: Mapping[str, Size]) -> dict[str, Size]:
    """The sizes of the roles of all calls; a role without one is as large as the policy."""
    return {call.role: sizes.get(call.role, sizes["policy"]) for call in calls}
