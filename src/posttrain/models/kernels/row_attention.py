"""`row_attention.cpp` on tensors: attention of rows over themselves and a shared prefix, with its gradient.

Legend: N flat tokens, R rows, H query heads, G key-value heads, D head width.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posttrain.models.kernels.native import FLOAT, NUMBER, POINTER, THREADS, Functions, same_cpu_dtype

WIDTH_UNIT = 16  # the width of a head is a multiple of it

_SHAPE = [NUMBER] * 5 + [FLOAT, THREADS]  # rows, heads, groups, width and window; scaling
_functions = Functions(
    Path(__file__).with_suffix(".cpp"),
    {
        "forward": [*[POINTER] * 4, *_SHAPE, *[POINTER] * 2],
        "backward": [*[POINTER] * 4, *_SHAPE, *[POINTER] * 2, NUMBER, *[POINTER] * 4],
    },
)


class RowAttention:
    """Attention of rows of flat tokens. Each row sees a prefix, which others may share, and causally itself.

    `rows` [R, 4]: first token and length of the prefix, first token and length of the row itself.
    """

    def __init__(self, rows: Tensor) -> None:
        self.rows = rows.contiguous()
        self.num_keys = int(rows[:, 1::2].sum())

    def supports(self, query: Tensor, key: Tensor, value: Tensor) -> bool:
        """Whether `attend` accepts these tensors."""
        shapes = key.shape == value.shape and key.shape[2] % WIDTH_UNIT == 0
        return shapes and same_cpu_dtype(query, key, value) and _functions.available()

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None) -> Tensor:
        """query [N, H, D], key and value [N, G, D] -> [N, H, D], computed in float32 and rounded once."""
        assert query.shape[0] == key.shape[0]
        assert query.shape[2] == key.shape[2]
        assert query.shape[1] % key.shape[1] == 0
        visible = len(key) if window is None else window
        attended: Tensor = _Attention.apply(  # type: ignore[no-untyped-call]
            query.contiguous(), key.contiguous(), value.contiguous(), self, scaling, visible
        )
        return attended


class _Attention(torch.autograd.Function):
    """Saves the log-sum-exp of each query's scores, from which the backward pass recomputes the weights."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, rows: RowAttention, scaling: float, window: int
    ) -> Tensor:
        shape = len(rows.rows), *query.shape[1:2], *key.shape[1:], window, scaling, torch.get_num_threads()
        attended, logsumexp = torch.empty_like(query), query.new_empty(query.shape[:2], dtype=torch.float32)
        _functions.call("forward", query, key, value, rows.rows, *shape, attended, logsumexp)
        ctx.save_for_backward(query, key, value, logsumexp)
        ctx.rows, ctx.shape = rows, shape
        return attended

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, logsumexp = ctx.saved_tensors
        dquery, dkey, dvalue = (torch.empty_like(x) for x in (query, key, value))
        row_grads = logsumexp.new_empty(ctx.rows.num_keys, 2, *key.shape[1:])  # of keys and values, row by row
        inputs = query, key, value, ctx.rows.rows, *ctx.shape, logsumexp, gradients[0].contiguous()
        _functions.call("backward", *inputs, len(query), row_grads, dquery, dkey, dvalue)
        return dquery, dkey, dvalue, None, None, None
