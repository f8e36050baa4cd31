"""`decode_step.cpp` for tensors: a decoding step's attention, products and whole layers, and the next token, on a CPU.

Legend: N tokens, H query heads, G key-value heads, D head width, S slots, P places of a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from posttrain.models.kernels.native import FLOAT, NUMBER, POINTER, THREADS, Functions

PAGE = 64  # places of a page of the cache
WIDTHS = (32, 64, 96, 128, 256)  # of heads, for which there is code

FEW = 256  # tokens up to which `linear` beats torch
UNIT = 32  # of which its inputs and outputs are multiples

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
_call, runs = _functions.call, _functions.runs


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


def multiplies(x: Tensor, weight: Tensor) -> bool:
    """Whether `linear` takes them: few tokens in bf16, on a processor that multiplies such numbers."""
    whole = x.shape[-1] % UNIT == len(weight) % UNIT == 0
    known = x.dim() == 2 and len(x) <= FEW and x.dtype == torch.bfloat16
    return known and whole and runs(x, weight) and _functions.has("linear", x.dtype)


def linear(x: Tensor, weight: Tensor) -> Tensor:
    """x [N, I] times weight [O, I] transposed: [N, O]. Reads the weights where they lie, and has no gradient."""
    out = x.new_empty(len(x), len(weight))
    assert weight.shape[1] == x.shape[1]
    assert x.shape[1] % UNIT == len(weight) % UNIT == 0
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


def has_layer(x: Tensor) -> bool:
    """Whether there is `run_layer` for so many tokens of this type, on this processor."""
    return len(x) <= FEW and _functions.has("layer", x.dtype)


def takes_layer(x: Tensor, layer: Layer, angles: Sequence[Tensor]) -> bool:
    """Whether it takes these, too: `multiplies` is true of all products."""
    weights = [w for w in layer if isinstance(w, Tensor)]
    whole = all(n % UNIT == 0 for w in weights for n in w.shape if w.dim() == 2)
    return whole and runs(x, *weights, *angles)


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
    positions, *where_ = (x.contiguous() for x in (positions, *where))
    *weights, eps, scaling, window = layer
    (slots, groups), width = keys.shape[1:3], keys.shape[3]
    sizes = *x.shape, len(layer.gate), slots, len(layer.query) // width, groups, width
    seen = keys.shape[0] * PAGE if window is None else window
    assert all(angle.shape == (len(x), width) for angle in angles)
    assert len(positions) == len(x) <= slots
    assert len(layer.key) == len(layer.value) == groups * width
    numbers = *sizes, eps, scaling, seen, torch.get_num_threads()
    _call("layer", x, *weights, keys, values, positions, *where_, *angles, *numbers)
    return x


def draw(scores: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
    """Scores [S, V] and uniform [S] -> token and log-prob in float32: [S], [S] (see `sampling.law.draw`)."""
    token, logp = torch.empty(len(scores), dtype=torch.long), torch.empty(len(scores))
    assert uniform.shape == (len(scores),)
    _call("draw", scores, uniform.double().contiguous(), *scores.shape, torch.get_num_threads(), token, logp)
    return token, logp
