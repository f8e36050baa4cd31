"""Tokens that a model does not have yet: added to its tokenizer, with rows in its matrices.

A new row is the mean of the others (Hewitt, 2021): a token that starts as the average is neither likely nor unlikely.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from posttrain.models.network import Network
from posttrain.models.tying import ends

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_log = logging.getLogger(__name__)


def add_tokens(
    network: Network, tokenizer: PreTrainedTokenizerBase, tokens: Sequence[str], *, special: bool = False
) -> list[int]:
    """Add tokens to the tokenizer and the model; return the ids of those that are new.

    Special tokens are left out of texts that are decoded for people, and a user's text cannot contain them. A warning
    names tokens that there are already.
    """
    from tokenizers import AddedToken

    if not tokens:
        return []
    known = tokenizer.get_vocab()
    if old := [token for token in tokens if token in known]:
        _log.warning("new tokens: %s are tokens of this model already", ", ".join(map(repr, old)))
    new = [AddedToken(t, special=special, normalized=False) for t in dict.fromkeys(tokens) if t not in known]
    tokenizer.add_tokens(new, special_tokens=special)
    ids = [tokenizer.convert_tokens_to_ids(str(token)) for token in new]
    grow(network, len(known), max([*known.values(), *ids]) + 1)
    return ids


@torch.no_grad()
def grow(network: Network, used: int, wanted: int) -> None:
    """Give the matrices `wanted` rows with a meaning, of which the first `used` have one; more rows stay padding."""
    trunk = network.trunk
    first, last = ends(trunk)
    rows = _matrices(first, last)
    means = [_mean(matrix[:used]) for matrix in rows]
    if wanted > len(first.weight):
        trunk.resize_token_embeddings(wanted, mean_resizing=False)
        rows = _matrices(*ends(trunk))
    for matrix, mean in zip(rows, means, strict=True):
        matrix[used:wanted] = mean
    network.vocab_size = wanted


def _matrices(first: torch.nn.Module, last: torch.nn.Module) -> list[Tensor]:
    """Return embeddings and unembeddings, and the bias of the last layer if it has one."""
    candidates = first.get_parameter("weight"), last.get_parameter("weight"), getattr(last, "bias", None)
    return [x for x in candidates if isinstance(x, Tensor)]


def _mean(rows: Tensor) -> Tensor:
    return rows.double().mean(0).to(rows.dtype)
