"""Attention within padded blocks. Which kernel is the fastest depends on the width, the type and the machine.

Legend: B rows, H query heads, G key-value heads, L queries, K keys, D head width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SHORT = 64  # up to so many keys, twice as many in 16 bits, plain products beat the fused kernels of the CPU


def causal(query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None) -> Tensor:
    """[B, H, L, D] x [B, G, L, D] -> [B, H, L, D]: each token sees itself and those before it in the window."""
    width = query.shape[2]
    if (window is None or window >= width) and not _short(query, width):
        shared = query.shape[1] != key.shape[1]
        return F.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=shared)
    place = torch.arange(width, device=query.device)
    return masked(query, key, value, scaling, within(place, place[:, None], window))


def masked(query: Tensor, key: Tensor, value: Tensor, scaling: float, seen: Tensor) -> Tensor:
    """[B, H, L, D] x [B, G, K, D] -> [B, H, L, D]. `seen` [L, K] or [B, 1, L, K]; each query sees a key."""
    if _short(query, key.shape[2]):
        return _products(query, key, value, scaling, seen)
    shared = query.shape[1] // key.shape[1]
    if shared > 1 and query.device.type != "cpu":  # with a mask the fused kernels of a GPU want a key for each head
        key, value = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1)
        shared = 1
    return F.scaled_dot_product_attention(query, key, value, seen, scale=scaling, enable_gqa=shared > 1)


def within(key: Tensor, query: Tensor, window: int | None) -> Tensor:
    """Whether the query at one place sees the key at another: not later, and in the window."""
    seen = key <= query
    return seen if window is None else seen & (key > query - window)


def _short(query: Tensor, keys: int) -> bool:
    return query.device.type == "cpu" and keys * query.element_size() <= SHORT * max(4, query.element_size())


def _products(query: Tensor, key: Tensor, value: Tensor, scaling: float, seen: Tensor) -> Tensor:
    rows, heads, width, _ = query.shape
    groups = key.shape[1]
    grouped = (query * scaling).reshape(rows, groups, -1, query.shape[-1])
    scores = (grouped @ key.transpose(-1, -2)).view(rows, heads, width, -1)
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32)).masked_fill(~seen, -torch.inf)
    weights = scores.softmax(-1).to(value.dtype).view(rows, groups, -1, key.shape[2])
    return (weights @ value).view(rows, heads, width, -1)
