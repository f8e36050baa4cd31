"""Models whose first and last layer are one matrix, and how they are taken apart."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def ends(trunk: Any) -> tuple[Any, Any]:
    """Return the embedding and the last layer."""
    return trunk.get_input_embeddings(), trunk.get_output_embeddings()


def is_tied(trunk: Any) -> bool:
    """Whether the embedding and the last layer read the same matrix, apart from adapters."""
    first, last = ends(trunk)
    return first is not None and last is not None and first.weight is last.weight


def untie(trunk: Any) -> None:
    """Give the last layer a matrix of its own."""
    last = ends(trunk)[1]
    plain = getattr(last, "base_layer", last)
    plain.weight = nn.Parameter(plain.weight.detach().clone(), requires_grad=plain.weight.requires_grad)
    say_untied(trunk.config)


def tie_if_equal(trunk: Any) -> None:
    """Let the last layer read the matrix of the embedding again if both hold the same numbers."""
    first, last = ends(trunk)
    if torch.equal(first.weight, last.weight):
        last.weight = first.weight
        say_untied(trunk.config, untied=False)


def say_untied(config: Any, *, untied: bool = True) -> None:
    """Let a config say whether the two matrices differ."""
    for part in (config, config.get_text_config()):
        part.tie_word_embeddings = not untied
