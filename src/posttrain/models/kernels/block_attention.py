"""Attention within padded blocks. Which kernel is the fastest depends on width, dtype and machine.

Legend: B rows, H query heads, G key-value heads, L queries, K keys, D head width.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from posttrain.models.kernels.elementwise import SLAB

SHORT = 64  # keys up to which, twice as many in 16 bits, plain products beat the fused kernels of the CPU


def causal(query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None) -> Tensor:
    """[B, H, L, D] x [B, G, L, D] -> [B, H, L, D]: each token sees itself and earlier tokens in the window."""
    width = query.shape[2]
    if (window is None or window >= width) and not short(query, width):
        shared = query.shape[1] != key.shape[1]
        return F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=shared)
    position = torch.arange(width, device=query.device)
    return masked(query, key, value, scaling, visible(position, position[:, None], window))


def masked(query: Tensor, key: Tensor, value: Tensor, scaling: float, seen: Tensor) -> Tensor:
    """[B, H, L, D] x [B, G, K, D] -> [B, H, L, D]. `seen` [L, K] or [B, 1, L, K]; each query sees some key."""
    if short(query, key.shape[2]):
        return _products(query, key, value, scaling, seen)
    shared = query.shape[1] // key.shape[1]
    if shared > 1 and query.device.type != "cpu":  # with a mask, fused GPU kernels need a key for each head
        key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
        shared = 1
    return F.scaled_dot_product_attention(query, key, value, seen, scale=scaling, enable_gqa=shared > 1)


def visible(key: Tensor, query: Tensor, window: int | None) -> Tensor:
    """Whether a query sees a key, by their positions: the key is not later, and in the window."""
    seen = key <= query
    return seen if window is None else seen & (key > query - window)


def short(query: Tensor, keys: int) -> bool:
    """Whether there are so few keys that plain products are faster than the fused kernels."""
    return query.device.type == "cpu" and keys * query.element_size() <= SHORT * max(4, query.element_size())


def _products(query: Tensor, key: Tensor, value: Tensor, scaling: float, seen: Tensor) -> Tensor:
    attended: Tensor = _Products.apply(query, key, value, scaling, seen)  # type: ignore[no-untyped-call]
    return attended


class _Products(torch.autograd.Function):
    """softmax(scaling Q Kᵀ) V by plain products, on slices of the rows whose scores stay in the processor's cache.

    The backward pass recomputes the weights. Stored, those of a hundred keys would be larger than everything else that
    an attention layer saves (Dao et al., 2022).
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scaling: float, seen: Tensor) -> Tensor:
        ctx.save_for_backward(query, key, value, seen)
        ctx.scaling = scaling
        attended = query.new_empty(*query.shape[:-1], value.shape[-1])
        for part in _parts(query, key):
            _, weights = _weights(query[part], key[part], scaling, _of(seen, part))
            attended[part] = (weights.to(value.dtype) @ value[part]).view(attended[part].shape)
        return attended

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """With O = W V and dW = dO Vᵀ: dV = Wᵀ dO, dS = W (dW - sum(W dW)), dQ = scaling dS K, dK = scaling dSᵀ Q."""
        query, key, value, seen = ctx.saved_tensors
        dquery, dkey, dvalue = (torch.empty_like(x) for x in (query, key, value))
        for part in _parts(query, key):
            grouped, weights = _weights(query[part], key[part], ctx.scaling, _of(seen, part))
            doutput = gradients[0][part].reshape(*grouped.shape[:-1], -1)
            dvalue[part] = weights.to(value.dtype).transpose(-1, -2) @ doutput
            dweights = (doutput @ value[part].transpose(-1, -2)).to(weights.dtype)
            dot = (dweights * weights).sum(-1, keepdim=True)
            dscores = dweights.sub_(dot).mul_(weights).to(query.dtype)
            dkey[part] = dscores.transpose(-1, -2) @ grouped
            dquery[part] = (dscores @ key[part]).mul_(ctx.scaling).view(query[part].shape)
        return dquery, dkey, dvalue, None, None


def _parts(query: Tensor, key: Tensor) -> Iterator[slice]:
    """Slices of the rows whose scores have at most SLAB numbers."""
    scores = query.shape[1] * query.shape[2] * key.shape[2]  # of a row
    rows = max(1, SLAB // max(1, scores))
    for start in range(0, len(query), rows):
        yield slice(start, start + rows)


def _of(seen: Tensor, part: slice) -> Tensor:
    return seen[part] if seen.dim() == 4 and len(seen) > 1 else seen


def _weights(query: Tensor, key: Tensor, scaling: float, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Scaled queries, grouped by the key that heads share [B, G, H/G L, D], and softmax weights [B, G, H/G L, K]."""
    rows, heads, width, _ = query.shape
    groups = key.shape[1]
    grouped = (query * scaling).reshape(rows, groups, -1, query.shape[-1])
    scores = (grouped @ key.transpose(-1, -2)).view(rows, heads, width, -1)
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32)).masked_fill_(~seen, -torch.inf)
    return grouped, scores.softmax(-1).view(rows, groups, -1, key.shape[2])
