"""`fused.cpp` for tensors: norm, rotation, cache, attention and products of a decoding step, on a CPU.

Legend: N tokens, H query heads, G key-value heads, D head width, S slots, P places of a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from posttrain.models.native import FLOAT, NUMBER, POINTER, THREADS, Functions, alike

PAGE = 64  # places of a page of the cache
WIDTHS = (32, 64, 96, 128, 256)  # of heads, for which there is code

FEW = 256  # tokens up to which `linear` beats torch
STEP = 32  # of which its inputs and outputs are multiples

_functions = Functions(
    Path(__file__).with_suffix(".cpp"),
    {
        "attend": [*[POINTER] * 4, *[NUMBER] * 5, FLOAT, NUMBER, THREADS, POINTER],
        "write": [*[POINTER] * 5, *[NUMBER] * 4, THREADS, *[POINTER] * 2],
        "rms_norm": [*[POINTER] * 2, *[NUMBER] * 2, FLOAT, THREADS, *[POINTER] * 2],
        "linear": [*[POINTER] * 2, *[NUMBER] * 3, THREADS, POINTER],
        "rms_norm_back": [*[POINTER] * 4, *[NUMBER] * 2, THREADS, *[POINTER] * 2],
        "layer": [*[POINTER] * 20, *[NUMBER] * 7, FLOAT, FLOAT, NUMBER, THREADS],
        "draw": [*[POINTER] * 2, *[NUMBER] * 2, THREADS, *[POINTER] * 2],
        "gated": [*[POINTER] * 2, NUMBER, THREADS, POINTER],
        "gated_back": [*[POINTER] * 3, NUMBER, THREADS, *[POINTER] * 2],
        "add_words": [*[POINTER] * 3, *[NUMBER] * 2, THREADS, *[POINTER] * 4],
        "back_words": [*[POINTER] * 7, *[NUMBER] * 2, THREADS],
        "rotate": [*[POINTER] * 3, *[NUMBER] * 3, THREADS, POINTER],
    },
)
_call, available = _functions.call, _functions.available


def runs(*tensors: Tensor) -> bool:
    """Whether the functions below take these tensors: one type, on a CPU, without gaps."""
    return alike(*tensors) and all(x.is_contiguous() for x in tensors) and available()


def multiplies(x: Tensor, weight: Tensor) -> bool:
    """Whether `linear` takes them: few tokens in bf16, on a processor that multiplies such numbers."""
    whole = x.shape[-1] % STEP == len(weight) % STEP == 0
    known = x.dim() == 2 and len(x) <= FEW and x.dtype == torch.bfloat16
    return known and whole and runs(x, weight) and _functions.has("linear", x.dtype)


def linear(x: Tensor, weight: Tensor) -> Tensor:
    """x [N, I] times weight [O, I] transposed: [N, O]. Reads the weights where they lie, and has no gradient."""
    out = x.new_empty(len(x), len(weight))
    assert weight.shape[1] == x.shape[1]
    assert x.shape[1] % STEP == len(weight) % STEP == 0
    _call("linear", x, weight, len(x), *weight.shape[::-1], torch.get_num_threads(), out)
    return out


class Layer(NamedTuple):
    """Weights of a layer, [outputs, inputs] or [width], in the order in which C++ takes them; and its numbers."""

    norm: Tensor
    query: Tensor
    key: Tensor
    value: Tensor
    query_norm: Tensor | None  # not in all models
    key_norm: Tensor | None
    out: Tensor
    second_norm: Tensor
    gate: Tensor
    up: Tensor
    down: Tensor
    eps: float
    scaling: float
    window: int | None


def takes_layer(x: Tensor, layer: Layer) -> bool:
    """Whether `run_layer` takes them: `multiplies` is true of all products."""
    weights = [w for w in layer if isinstance(w, Tensor)]
    whole = all(n % STEP == 0 for w in weights for n in w.shape if w.dim() == 2)
    return whole and len(x) <= FEW and _functions.has("layer", x.dtype) and runs(x, *weights)


def run_layer(
    x: Tensor,
    layer: Layer,
    keys: Tensor,
    values: Tensor,
    positions: Tensor,
    where: tuple[Tensor, Tensor, Tensor],
    angles: Sequence[Tensor],
) -> Tensor:
    """What comes out of a layer for the newest tokens x [N, D] of the first N slots; see `write`, `attend`."""
    x = x.clone()
    positions, *where_, cos, sin = (x.contiguous() for x in (positions, *where, *angles))
    *weights, eps, scaling, window = layer
    (slots, groups), width = keys.shape[1:3], keys.shape[3]
    sizes = *x.shape, len(layer.gate), slots, len(layer.query) // width, groups, width
    seen = keys.shape[0] * PAGE if window is None else window
    assert cos.shape == sin.shape == (len(x), width)
    assert len(positions) == len(x) <= slots
    assert len(layer.key) == len(layer.value) == groups * width
    numbers = *sizes, eps, scaling, seen, torch.get_num_threads()
    _call("layer", x, *weights, keys, values, positions, *where_, cos, sin, *numbers)
    return x


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


def write(key: Tensor, value: Tensor, where: tuple[Tensor, Tensor, Tensor], keys: Tensor, values: Tensor) -> None:
    """Key and value [N, G, D] to slots, pages, places [N] of keys [pages, S, G, D, P], values [pages, S, G, P, D]."""
    tokens, groups, width = key.shape
    sizes = tokens, keys.shape[1], groups, width
    key, value, *where_ = (x.contiguous() for x in (key, value, *where))
    assert key.shape == value.shape
    assert key.dtype == value.dtype == keys.dtype == values.dtype
    _call("write", key, value, *where_, *sizes, torch.get_num_threads(), keys, values)


def attend(
    query: Tensor, keys: Tensor, values: Tensor, positions: Tensor, scaling: float, window: int | None
) -> Tensor:
    """Query [N, H, D] of the newest tokens of the first N slots, which stand at positions [N] -> [N, H, D]."""
    query, positions = query.contiguous(), positions.contiguous()
    out = torch.empty_like(query)
    (tokens, heads, width), (slots, groups) = query.shape, keys.shape[1:3]
    sizes = tokens, slots, heads, groups, width
    assert tokens == len(positions) <= slots
    assert width in WIDTHS
    assert query.dtype == keys.dtype == values.dtype
    assert heads % groups == 0
    seen = keys.shape[0] * PAGE if window is None else window
    _call("attend", query, keys, values, positions, *sizes, scaling, seen, torch.get_num_threads(), out)
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


def draw(scores: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
    """Scores [S, V] and uniform [S] -> token and log-prob in float32: [S], [S] (see `sampling.law.draw`)."""
    token, logp = torch.empty(len(scores), dtype=torch.long), torch.empty(len(scores))
    assert uniform.shape == (len(scores),)
    _call("draw", scores, uniform.double().contiguous(), *scores.shape, torch.get_num_threads(), token, logp)
    return token, logp
