"""Norm, rotary embedding and gated activation with few passes over memory, forward and backward.

Between its matrix products a decoder is bound by memory. Each operation here keeps for the backward pass only what it
was given and computes the rest again; on a CPU it works on slabs of tokens that stay in the cache of a core.

Legend: N tokens, D width, H heads, F width of the gated layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from posttrain.models.kernels import decode_step as step
from posttrain.models.kernels import fused

Hold = Callable[..., AbstractContextManager[Tensor]]  # kept, made_again
SLAB = 2**18  # numbers in the widest intermediate value of a slab: 1 MiB of float32


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """x / sqrt(mean(x^2) + eps) * weight over the last dimension, in float32: [..., D] (Zhang and Sennrich, 2019)."""
    if not torch.is_grad_enabled():
        return _normed(x, weight, eps)[0]
    normed: Tensor = _RMSNorm.apply(x, weight, eps)  # type: ignore[no-untyped-call]
    return normed


def gated(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) * up: [N, F] (SwiGLU: Shazeer, 2020)."""
    if not torch.is_grad_enabled():
        return _product(gate, up)
    product: Tensor = _Gated.apply(gate, up)  # type: ignore[no-untyped-call]
    return product


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x [N, D] times weight [F, D] transposed, plus bias [F]: [N, F]. For sampling: few tokens may be rounded otherwise
    than torch does, and the log-probs of two models whose weights are equal should be so too."""
    if bias is None and not torch.is_grad_enabled() and step.multiplies(x, weight):
        return step.linear(x, weight)
    return F.linear(x, weight, bias)


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding (Su et al., 2021): heads [N, H, D] turned by angles whose cos and sin are [N, D]."""
    if not torch.is_grad_enabled():
        return _turn(x, cos, sin)
    turned: Tensor = _Rotated.apply(x, cos, sin)  # type: ignore[no-untyped-call]
    return turned


@contextmanager
def kept(function: Callable[..., Tensor], *arguments: Tensor) -> Iterator[Tensor]:
    """The function's result, for products inside, whose backward pass needs it."""
    yield function(*arguments)


@contextmanager
def made_again(function: Callable[..., Tensor], *arguments: Tensor) -> Iterator[Tensor]:
    """The same, but the backward pass computes it once more: a pass over memory instead of a quarter of a layer's
    activations. What it is computed from must be kept anyway."""
    result = function(*arguments)
    if not torch.is_grad_enabled():
        yield result
        return
    again = partial(function, *(x.detach() for x in arguments))
    place, shape = result.data_ptr(), result.shape  # not the result: what the hooks refer to lives as long as the graph

    def pack(x: Tensor) -> Tensor | Callable[[], Tensor]:
        return again if x.data_ptr() == place and x.shape == shape else x

    def unpack(packed: Tensor | Callable[[], Tensor]) -> Tensor:
        return packed if isinstance(packed, Tensor) else packed()

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        yield result


def slabs(x: Tensor) -> Iterator[slice]:
    """Slices of the first dimension; on an accelerator one slice holds all."""
    rows = len(x) if x.device.type != "cpu" else max(1, SLAB * len(x) // max(1, x.numel()))
    for start in range(0, len(x), max(1, rows)):
        yield slice(start, start + rows)


def _wide(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)


def _normed(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """The norm, and what x was multiplied by: [..., 1]."""
    if fused.runs(x, weight):
        return fused.rms_norm(x, weight, eps)
    normed, wide = torch.empty_like(x), _wide(x)
    scale = torch.empty(*x.shape[:-1], 1, dtype=wide, device=x.device)
    for part in slabs(x):
        values = x[part].to(wide)
        torch.rsqrt(values.square().mean(-1, keepdim=True).add_(eps), out=scale[part])
        torch.mul((values * scale[part]).to(x.dtype), weight, out=normed[part])
    return normed, scale


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        normed, scale = _normed(x, weight, eps)
        ctx.save_for_backward(x, weight, scale)
        return normed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """With u = x scale and g = dy weight: dx = scale (g - u mean(g u)), dweight = sum(dy u)."""
        x, weight, scale = ctx.saved_tensors
        if fused.runs(x, weight, gradients[0]):
            dx, dweight = fused.rms_norm_back(x, weight, scale, gradients[0])
            return dx, dweight.to(weight.dtype), None
        wide, dx = scale.dtype, torch.empty_like(x)
        gain, dweight = weight.to(wide), torch.zeros_like(weight, dtype=wide)
        for part in slabs(x):
            unit = x[part].to(wide) * scale[part]
            dy = gradients[0][part].to(wide)
            along = dy * unit
            dweight += along.flatten(0, -2).sum(0)
            along *= gain
            step = (dy * gain).sub_(unit.mul_(along.mean(-1, keepdim=True)))
            torch.mul(step, scale[part], out=step)
            dx[part] = step
        return dx, dweight.to(weight.dtype), None


def _product(gate: Tensor, up: Tensor) -> Tensor:
    if fused.runs(gate, up):
        return fused.gated(gate, up)
    product = torch.empty_like(gate)
    for part in slabs(gate):
        torch.mul(F.silu(gate[part]), up[part], out=product[part])
    return product


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        ctx.save_for_backward(gate, up)
        return _product(gate, up)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        gate, up = ctx.saved_tensors
        if fused.runs(gate, up, gradients[0]):
            return fused.gated_back(gate, up, gradients[0])
        dgate, dup = torch.empty_like(gate), torch.empty_like(up)
        for part in slabs(gate):
            dy = gradients[0][part]
            torch.mul(dy, F.silu(gate[part]), out=dup[part])
            dgate[part] = torch.ops.aten.silu_backward(dy * up[part], gate[part])
        return dgate, dup


class _Rotated(torch.autograd.Function):
    """Dimension i of a head turns with dimension i + D/2; the way back turns by the negative angle."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _turn(x, cos, sin)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        cos, sin = ctx.saved_tensors
        return _turn(gradients[0], cos, -sin), None, None


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    if fused.runs(x, cos, sin):
        return fused.rotate(x, cos, sin)
    turned = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    half = x.shape[-1] // 2
    for part in slabs(x):
        left, right = x[part, :, :half], x[part, :, half:]
        c, s = cos[part, None, :half], sin[part, None, :half]
        torch.mul(left, c, out=turned[part, :, :half]).addcmul_(right, s, value=-1)
        torch.mul(right, c, out=turned[part, :, half:]).addcmul_(left, s)
    return turned
