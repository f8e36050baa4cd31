"""`row_attention.cpp` for tensors: attention of rows over themselves and a shared prefix, with its gradient, on a CPU.

Legend: N flat tokens, R rows, H query heads, G key-value heads, D head width.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posttrain.models.kernels.native import FLOAT, NUMBER, POINTER, THREADS, Functions, alike

STEP = 16  # of which the width of a head is a multiple

_SHAPE = [NUMBER] * 5 + [FLOAT, THREADS]  # rows, heads, groups, width and window; scaling
_functions = Functions(
    Path(__file__).with_suffix(".cpp"),
    {
        "forward": [*[POINTER] * 4, *_SHAPE, *[POINTER] * 2],
        "backward": [*[POINTER] * 4, *_SHAPE, *[POINTER] * 2, NUMBER, *[POINTER] * 4],
    },
)


class Spans:
    """Rows of flat tokens, each of which sees a prefix, which others may see too, and causally itself.

    `rows` [R, 4]: the first token and the number of those of the prefix, and of the row's own.
    """

    def __init__(self, rows: Tensor) -> None:
        self.rows = rows.contiguous()
        self.keys = int(rows[:, 1::2].sum())

    def runs(self, query: Tensor, key: Tensor, value: Tensor) -> bool:
        """Whether `attend` takes these tensors."""
        known = key.shape == value.shape and key.shape[2] % STEP == 0
        return known and alike(query, key, value) and _functions.available()

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scaling: float, window: int | None) -> Tensor:
        """query [N, H, D], key and value [N, G, D] -> [N, H, D]. Rounded once, at the end."""
        assert query.shape[0] == key.shape[0]
        assert query.shape[2] == key.shape[2]
        assert query.shape[1] % key.shape[1] == 0
        seen = len(key) if window is None else window
        mixed: Tensor = _Attention.apply(  # type: ignore[no-untyped-call]
            query.contiguous(), key.contiguous(), value.contiguous(), self, scaling, seen
        )
        return mixed


class _Attention(torch.autograd.Function):
    """Keeps the logarithm of what the odds of each query sum to, from which its weights are made again."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, spans: Spans, scaling: float, window: int
    ) -> Tensor:
        shape = len(spans.rows), *query.shape[1:2], *key.shape[1:], window, scaling, torch.get_num_threads()
        mixed, log_sum = torch.empty_like(query), query.new_empty(query.shape[:2], dtype=torch.float32)
        _functions.call("forward", query, key, value, spans.rows, *shape, mixed, log_sum)
        ctx.save_for_backward(query, key, value, log_sum)
        ctx.spans, ctx.shape = spans, shape
        return mixed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, log_sum = ctx.saved_tensors
        dquery, dkey, dvalue = (torch.empty_like(x) for x in (query, key, value))
        parts = log_sum.new_empty(ctx.spans.keys, 2, *key.shape[1:])  # what each row gives to what it sees
        given = query, key, value, ctx.spans.rows, *ctx.shape, log_sum, gradients[0].contiguous()
        _functions.call("backward", *given, len(query), parts, dquery, dkey, dvalue)
        return dquery, dkey, dvalue, None, None, None
