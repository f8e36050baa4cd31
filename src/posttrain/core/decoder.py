"""A decoder: the distribution of the next token as a pure function of what models say of the tokens before it.

The signature is the declaration. A positional parameter is what the function reads, by name; a keyword-only one is a
setting. It returns scores: log-probabilities up to a constant per row.

    NAME            logits of the model with this role
    NAME_states     hidden states of that model, from which the next token is predicted
    NAME_readout    its last layer: states -> logits
    NAME_value      its value head, else its score head: states -> one number each
    NAME_after      the same head behind each of some candidates for the next token: candidates -> numbers
    PART            a tensor that is saved with the model under this name

A function that reads `hidden` edits what leaves each layer instead, and returns it changed. It gets `hidden` [N, D],
`layer`, the number of the layer from 0, `asked` [D], what left this layer behind the last token of the prompt, and
parts, the last two in float32.

Legend: S sequences, V vocabulary, D hidden width, K candidates.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

from torch import Tensor

Logits = Annotated[Tensor, "S V"]
States = Annotated[Tensor, "S D"]
Hidden = Annotated[Tensor, "N D"]
Readout = Callable[[Tensor], Tensor]  # states [S, D] -> logits [S, V]
Value = Callable[[Tensor], Tensor]  # states [S, D] -> [S]
After = Callable[[Tensor], Tensor]  # candidates [S, K] -> [S, K]

EDITED = ("hidden", "asked", "layer")  # what an edit reads besides parts
VIEWS = ("states", "readout", "value", "after")  # what a decoder may read of a model besides its logits


@dataclass(frozen=True)
class Decoder:
    """A function of what models say of the next token, with its settings."""

    name: str
    function: Callable[..., Any]
    settings: tuple[tuple[str, Any], ...] = ()
    parts: Mapping[str, Tensor] = field(default_factory=dict, compare=False)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The names of what the function reads: its positional parameters."""
        parameters = inspect.signature(self.function).parameters.values()
        return tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """The models that it reads, each once, in the order of the parameters."""
        if self.edits:
            return ("policy",)
        return tuple(dict.fromkeys(role_of(name) for name in self.reads if name not in self.parts))

    @property
    def edits(self) -> bool:
        """Whether it edits what leaves the layers of the policy."""
        return "hidden" in self.reads

    def __call__(self, **read: Any) -> Tensor:
        """The scores of the next token [S, V], or what leaves a layer, edited: [N, D]."""
        scores: Tensor = self.function(**read, **dict(self.settings))
        return scores


def role_of(name: str) -> str:
    """The role that a parameter reads: that of `critic_after` is critic."""
    role, _, view = name.rpartition("_")
    return role if role and view in VIEWS else name
