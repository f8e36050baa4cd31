"""`fused.cpp` on tensors: norm, rotary embedding, gate and the softmax over the vocabulary, forward and backward.

Legend: N tokens, H heads, D width, W vocabulary entries of a tile.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from posttrain.models.kernels.native import FLOAT, NUMBER, POINTER, THREADS, Functions

_functions = Functions(
    Path(__file__).with_suffix(".cpp"),
    {
        "rms_norm": [*[POINTER] * 2, *[NUMBER] * 2, FLOAT, THREADS, *[POINTER] * 2],
        "rms_norm_backward": [*[POINTER] * 4, *[NUMBER] * 2, THREADS, *[POINTER] * 2],
        "gated": [*[POINTER] * 2, NUMBER, THREADS, POINTER],
        "gated_backward": [*[POINTER] * 3, NUMBER, THREADS, *[POINTER] * 2],
        "rotate": [*[POINTER] * 3, *[NUMBER] * 3, THREADS, POINTER],
        "accumulate_tile": [*[POINTER] * 3, *[NUMBER] * 2, THREADS, *[POINTER] * 4],
        "tile_backward": [*[POINTER] * 7, *[NUMBER] * 2, THREADS],
    },
)
_call = _functions.call
supports = _functions.supports
available = _functions.available


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Return x [..., D] * scale * weight and scale = 1 / sqrt(mean(x^2) + eps) [..., 1] in float32."""
    out, scale = torch.empty_like(x), x.new_empty(*x.shape[:-1], 1, dtype=torch.float32)
    width = x.shape[-1]
    assert weight.shape == (width,)
    _call("rms_norm", x, weight, scale.numel(), width, eps, torch.get_num_threads(), out, scale)
    return out, scale


def rms_norm_backward(x: Tensor, weight: Tensor, scale: Tensor, dy: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient of `rms_norm` from dy [..., D]: dx in the dtype of x, dweight [D] in float32."""
    dx, dweight = torch.empty_like(x), x.new_empty(x.shape[-1], dtype=torch.float32)
    assert dy.shape == x.shape
    _call("rms_norm_backward", x, weight, scale, dy, scale.numel(), x.shape[-1], torch.get_num_threads(), dx, dweight)
    return dx, dweight


def gated(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) * up, of any shape."""
    out = torch.empty_like(gate)
    assert gate.shape == up.shape
    _call("gated", gate, up, gate.numel(), torch.get_num_threads(), out)
    return out


def gated_backward(gate: Tensor, up: Tensor, dy: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient of `gated` from dy: dgate, dup."""
    dgate, dup = torch.empty_like(gate), torch.empty_like(up)
    assert gate.shape == up.shape == dy.shape
    _call("gated_backward", gate, up, dy, gate.numel(), torch.get_num_threads(), dgate, dup)
    return dgate, dup


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding of heads [N, H, D] by angles whose cosine and sine are [N, D]."""
    out = torch.empty_like(x)
    assert cos.shape == sin.shape == (len(x), x.shape[2])
    _call("rotate", x, cos, sin, *x.shape, torch.get_num_threads(), out)
    return out


def accumulate_tile(
    logits: Tensor,
    tau: Tensor,
    column: Tensor,
    maximum: Tensor,
    sum_exp: Tensor,
    sum_exp_score: Tensor,
    target_score: Tensor,
) -> None:
    """Fold logits [N, W] of a vocabulary tile into each token's running softmax statistics [N], in float32.

    See `logprobs.selected_logp`. `column` [N] is that of the target in this tile, which may lie outside of it.
    """
    statistics = maximum, sum_exp, sum_exp_score, target_score
    assert all(len(logits) == len(x) for x in (tau, column, *statistics))
    _call("accumulate_tile", logits, tau, column, *logits.shape, torch.get_num_threads(), *statistics)


def tile_backward(
    logits: Tensor, tau: Tensor, column: Tensor, logsumexp: Tensor, entropy: Tensor, dlogp: Tensor, dentropy: Tensor
) -> None:
    """Overwrite the logits [N, W] of a tile with their gradient; `dlogp` and `dentropy` [N] come divided by tau."""
    of_tokens = tau, column, logsumexp, entropy, dlogp, dentropy
    assert all(len(logits) == len(x) for x in of_tokens)
    _call("tile_backward", logits, *of_tokens, *logits.shape, torch.get_num_threads())
