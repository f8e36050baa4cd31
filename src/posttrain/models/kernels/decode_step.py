"""`decode_step.cpp` on tensors: attention over the cache, products and whole layers of a step, the draw of a token.

Legend: N tokens, H query heads, G key-value heads, D head width, S slots, P positions of a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from posttrain.models.kernels.native import FLOAT, NUMBER, POINTER, THREADS, Functions

PAGE = 64  # positions of a page of the cache
HEAD_WIDTHS = (32, 64, 96, 128, 256)  # that `attend` is compiled for

MAX_TOKENS = 256  # up to which `linear` is faster than torch
UNIT = 32  # inputs and outputs of `linear` are multiples of it

_functions = Functions(
    Path(__file__).with_suffix(".cpp"),
    {
        "write": [*[POINTER] * 5, *[NUMBER] * 4, THREADS, *[POINTER] * 2],
        "attend": [*[POINTER] * 4, *[NUMBER] * 5, FLOAT, NUMBER, THREADS, POINTER],
        "linear": [*[POINTER] * 2, *[NUMBER] * 3, THREADS, POINTER],
        "layer": [*[POINTER] * 20, *[NUMBER] * 7, FLOAT, FLOAT, NUMBER, THREADS],
        "draw": [*[POINTER] * 2, *[NUMBER] * 2, THREADS, *[POINTER] * 2],
    },
)
_call = _functions.call
supports = _functions.supports

Index = tuple[Tensor, Tensor, Tensor]  # of each token in the cache: slot, page, offset within the page


def write(key: Tensor, value: Tensor, index: Index, keys: Tensor, values: Tensor) -> None:
    """Write key and value [N, G, D] to the cache: keys [pages, S, G, D, P], values [pages, S, G, P, D]."""
    tokens, groups, width = key.shape
    sizes = tokens, keys.shape[1], groups, width
    key, value, *index_ = (x.contiguous() for x in (key, value, *index))
    assert key.shape == value.shape
    assert key.dtype == value.dtype == keys.dtype == values.dtype
    _call("write", key, value, *index_, *sizes, torch.get_num_threads(), keys, values)


def attend(
    query: Tensor, keys: Tensor, values: Tensor, positions: Tensor, scaling: float, window: int | None
) -> Tensor:
    """Attention of the newest tokens, query [N, H, D], of the first N slots at positions [N] -> [N, H, D]."""
    query, positions = query.contiguous(), positions.contiguous()
    out = torch.empty_like(query)
    (tokens, heads, width), (slots, groups) = query.shape, keys.shape[1:3]
    sizes = tokens, slots, heads, groups, width
    assert tokens == len(positions) <= slots
    assert width in HEAD_WIDTHS
    assert query.dtype == keys.dtype == values.dtype
    assert heads % groups == 0
    visible = keys.shape[0] * PAGE if window is None else window
    _call("attend", query, keys, values, positions, *sizes, scaling, visible, torch.get_num_threads(), out)
    return out


def supports_linear(x: Tensor, weight: Tensor) -> bool:
    """Whether `linear` accepts these tensors: few tokens in bf16, on a processor with AVX512-BF16."""
    divisible = x.shape[-1] % UNIT == len(weight) % UNIT == 0
    few = x.dim() == 2 and len(x) <= MAX_TOKENS and x.dtype == torch.bfloat16
    return few and divisible and supports(x, weight) and _functions.has("linear", x.dtype)


def linear(x: Tensor, weight: Tensor) -> Tensor:
    """x [N, I] times weight [O, I] transposed: [N, O]. It copies no weights and has no gradient."""
    out = x.new_empty(len(x), len(weight))
    assert weight.shape[1] == x.shape[1]
    assert x.shape[1] % UNIT == len(weight) % UNIT == 0
    _call("linear", x, weight, len(x), *weight.shape[::-1], torch.get_num_threads(), out)
    return out


class Layer(NamedTuple):
    """Weights of a layer, [outputs, inputs] or [width], in the order of the arguments in C++; and its constants."""

    norm: Tensor
    query: Tensor
    key: Tensor
    value: Tensor
    query_norm: Tensor | None  # Qwen3 has both
    key_norm: Tensor | None
    out: Tensor
    second_norm: Tensor
    gate: Tensor
    up: Tensor
    down: Tensor
    eps: float
    scaling: float
    window: int | None


def has_layer(x: Tensor) -> bool:
    """Whether `run_layer` exists for this number of tokens and dtype, on this processor."""
    return len(x) <= MAX_TOKENS and _functions.has("layer", x.dtype)


def supports_layer(x: Tensor, layer: Layer, angles: Sequence[Tensor]) -> bool:
    """Whether `run_layer` accepts these tensors, given `has_layer`: `supports_linear` holds for all its products."""
    weights = [w for w in layer if isinstance(w, Tensor)]
    divisible = all(n % UNIT == 0 for w in weights for n in w.shape if w.dim() == 2)
    return divisible and supports(x, *weights, *angles)


def run_layer(
    x: Tensor,
    layer: Layer,
    keys: Tensor,
    values: Tensor,
    positions: Tensor,
    index: Index,
    angles: Sequence[Tensor],
) -> Tensor:
    """Run a layer for the newest tokens x [N, D] of the first N slots: [N, D]. See `write` and `attend`."""
    x = x.clone()
    positions, *index_ = (x.contiguous() for x in (positions, *index))
    *weights, eps, scaling, window = layer
    (slots, groups), width = keys.shape[1:3], keys.shape[3]
    sizes = *x.shape, len(layer.gate), slots, len(layer.query) // width, groups, width
    visible = keys.shape[0] * PAGE if window is None else window
    assert all(angle.shape == (len(x), width) for angle in angles)
    assert len(positions) == len(x) <= slots
    assert len(layer.key) == len(layer.value) == groups * width
    constants = *sizes, eps, scaling, visible, torch.get_num_threads()
    _call("layer", x, *weights, keys, values, positions, *index_, *angles, *constants)
    return x


def draw(scores: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
    """Scores [S, V] and uniform [S] -> token and log-prob in float32: [S], [S]. See `sampling.distribution.draw`."""
    token, logp = torch.empty(len(scores), dtype=torch.long), torch.empty(len(scores), dtype=torch.float32)
    assert uniform.shape == (len(scores),)
    _call("draw", scores, uniform.double().contiguous(), *scores.shape, torch.get_num_threads(), token, logp)
    return token, logp
