"""`fused.cpp` for tensors: norm, rotation, gate and the law of all tokens, forward and backward, on a CPU.

Legend: N tokens, H heads, D width, W words of the vocabulary.
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
        "rms_norm_back": [*[POINTER] * 4, *[NUMBER] * 2, THREADS, *[POINTER] * 2],
        "gated": [*[POINTER] * 2, NUMBER, THREADS, POINTER],
        "gated_back": [*[POINTER] * 3, NUMBER, THREADS, *[POINTER] * 2],
        "rotate": [*[POINTER] * 3, *[NUMBER] * 3, THREADS, POINTER],
        "add_words": [*[POINTER] * 3, *[NUMBER] * 2, THREADS, *[POINTER] * 4],
        "back_words": [*[POINTER] * 7, *[NUMBER] * 2, THREADS],
    },
)
_call, runs, available = _functions.call, _functions.runs, _functions.available


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """x [..., D] / sqrt(mean(x^2) + eps) * weight, and the inverse of that root [..., 1] in float32."""
    out, scale = torch.empty_like(x), x.new_empty(*x.shape[:-1], 1, dtype=torch.float32)
    width = x.shape[-1]
    assert weight.shape == (width,)
    _call("rms_norm", x, weight, scale.numel(), width, eps, torch.get_num_threads(), out, scale)
    return out, scale


def rms_norm_back(x: Tensor, weight: Tensor, scale: Tensor, dy: Tensor) -> tuple[Tensor, Tensor]:
    """What `rms_norm` gets back from dy [..., D]: dx in the type of x, dweight [D] in float32."""
    dx, dweight = torch.empty_like(x), x.new_empty(x.shape[-1], dtype=torch.float32)
    assert dy.shape == x.shape
    _call("rms_norm_back", x, weight, scale, dy, scale.numel(), x.shape[-1], torch.get_num_threads(), dx, dweight)
    return dx, dweight


def gated(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) up, of any shape."""
    out = torch.empty_like(gate)
    assert gate.shape == up.shape
    _call("gated", gate, up, gate.numel(), torch.get_num_threads(), out)
    return out


def gated_back(gate: Tensor, up: Tensor, dy: Tensor) -> tuple[Tensor, Tensor]:
    """What `gated` gets back from dy: dgate, dup."""
    dgate, dup = torch.empty_like(gate), torch.empty_like(up)
    assert gate.shape == up.shape == dy.shape
    _call("gated_back", gate, up, dy, gate.numel(), torch.get_num_threads(), dgate, dup)
    return dgate, dup


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Heads [N, H, D] turned by angles [N, D]."""
    out = torch.empty_like(x)
    assert cos.shape == sin.shape == (len(x), x.shape[2])
    _call("rotate", x, cos, sin, *x.shape, torch.get_num_threads(), out)
    return out


def add_words(
    logits: Tensor, tau: Tensor, column: Tensor, top: Tensor, mass: Tensor, energy: Tensor, chosen: Tensor
) -> None:
    """Logits [N, W] of some words into what is known of each law [N]: see `head.selected_logp`. In float32."""
    assert logits.shape[0] == len(tau) == len(column) == len(top) == len(mass) == len(energy) == len(chosen)
    _call("add_words", logits, tau, column, *logits.shape, torch.get_num_threads(), top, mass, energy, chosen)


def back_words(
    logits: Tensor, tau: Tensor, column: Tensor, whole: Tensor, entropy: Tensor, of_logp: Tensor, of_entropy: Tensor
) -> None:
    """Writes over logits [N, W] what comes back to them."""
    assert logits.shape[0] == len(tau) == len(column) == len(whole) == len(entropy) == len(of_logp) == len(of_entropy)
    threads = torch.get_num_threads()
    _call("back_words", logits, tau, column, whole, entropy, of_logp, of_entropy, *logits.shape, threads)
