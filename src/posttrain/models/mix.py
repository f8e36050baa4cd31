"""The mix of a head: the weights with which its K numbers add up to the one score of its model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

NAME = "mix"  # in the state of the head, so that it is saved and loaded with its weights


def set_mix(head: nn.Module, weights: Sequence[float] | Tensor) -> None:
    """Give a head a mix, or another one. Nothing is changed by no weights."""
    if len(weights):
        like = head.get_parameter("weight")
        head.register_buffer(NAME, torch.as_tensor(weights, dtype=like.dtype, device=like.device))


def mix_of(head: nn.Module) -> Tensor | None:
    """The weights of the numbers of a head in its score: [K]; None if they do not add up to one."""
    found: Tensor | None = getattr(head, NAME, None)
    return found


def gives_one(heads: nn.ModuleDict) -> bool:
    """Whether the score of a model with these heads is one number."""
    return "gate" in heads or mix_of(heads["score"]) is not None or len(heads["score"].get_parameter("weight")) == 1
