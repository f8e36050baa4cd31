"""RMS norm, rotary embedding and gated activation, forward and backward, with little memory traffic.

Between its matrix products a decoder is memory-bound. Each operation here saves only its inputs for the backward pass
and recomputes the rest. On a CPU it works on slabs of tokens that stay in the cache of a core.

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

from posttrain.models.kernels import decode_step, fused

Saving = Callable[..., AbstractContextManager[Tensor]]  # how a product saves its input: `stored`, `recomputed`
SLAB = 2**18  # elements of the widest intermediate of a slab: 1 MiB of float32


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """x / sqrt(mean(x^2) + eps) * weight over the last dimension, in float32: [..., D] (Zhang and Sennrich, 2019)."""
    if not torch.is_grad_enabled():
        return _normed(x, weight, eps)[0]
    normed: Tensor = _RMSNorm.apply(x, weight, eps)  # type: ignore[no-untyped-call]
    return normed


def gated(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) * up: [N, F] (SwiGLU: Shazeer, 2020)."""
    if not torch.is_grad_enabled():
        return _gate(gate, up)
    product: Tensor = _Gated.apply(gate, up)  # type: ignore[no-untyped-call]
    return product


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x [N, D] times weight [F, D] transposed, plus bias [F]: [N, F], for sampling only.

    Our own product of few tokens may round differently from torch. Training uses torch, so that models with equal
    weights have equal log-probs.
    """
    if bias is None and not torch.is_grad_enabled() and decode_step.supports_linear(x, weight):
        return decode_step.linear(x, weight)
    return F.linear(x, weight, bias)


def rotary_embedding(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding of heads [N, H, D] by angles with cos and sin [N, D] (Su et al., 2021)."""
    if not torch.is_grad_enabled():
        return _rotate(x, cos, sin)
    rotated: Tensor = _RotaryEmbedding.apply(x, cos, sin)  # type: ignore[no-untyped-call]
    return rotated


@contextmanager
def stored(function: Callable[..., Tensor], *arguments: Tensor) -> Iterator[Tensor]:
    """Yield the function's result. Products inside store it for their backward pass."""
    yield function(*arguments)


@contextmanager
def recomputed(function: Callable[..., Tensor], *arguments: Tensor) -> Iterator[Tensor]:
    """Yield the function's result. The backward pass of products inside recomputes it instead of storing it.

    That saves a quarter of a layer's activations. The arguments must be stored anyway.
    """
    result = function(*arguments)
    if not torch.is_grad_enabled():
        yield result
        return
    recompute = partial(function, *(x.detach() for x in arguments))
    address, shape = result.data_ptr(), result.shape  # not the result: the graph would keep it alive through the hooks

    def pack(x: Tensor) -> Tensor | Callable[[], Tensor]:
        return recompute if x.data_ptr() == address and x.shape == shape else x

    def unpack(packed: Tensor | Callable[[], Tensor]) -> Tensor:
        return packed if isinstance(packed, Tensor) else packed()

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        yield result


def slabs(x: Tensor) -> Iterator[slice]:
    """Yield slices of the first dimension of at most SLAB elements; on an accelerator, one slice of everything."""
    rows = len(x) if x.device.type != "cpu" else max(1, SLAB * len(x) // max(1, x.numel()))
    for start in range(0, len(x), max(1, rows)):
        yield slice(start, start + rows)


def _wide(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)


def _normed(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """The normalised x, and the scale that it was multiplied by: [..., 1]."""
    if fused.supports(x, weight):
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
        if fused.supports(x, weight, gradients[0]):
            dx, dweight = fused.rms_norm_backward(x, weight, scale, gradients[0])
            return dx, dweight.to(weight.dtype), None
        wide, dx = scale.dtype, torch.empty_like(x)
        gain, dweight = weight.to(wide), torch.zeros_like(weight, dtype=wide)
        for part in slabs(x):
            unit = x[part].to(wide) * scale[part]
            dy = gradients[0][part].to(wide)
            product = dy * unit
            dweight += product.flatten(0, -2).sum(0)
            product *= gain
            slope = (dy * gain).sub_(unit.mul_(product.mean(-1, keepdim=True)))
            torch.mul(slope, scale[part], out=slope)
            dx[part] = slope
        return dx, dweight.to(weight.dtype), None


def _gate(gate: Tensor, up: Tensor) -> Tensor:
    if fused.supports(gate, up):
        return fused.gated(gate, up)
    product = torch.empty_like(gate)
    for part in slabs(gate):
        torch.mul(F.silu(gate[part]), up[part], out=product[part])
    return product


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        ctx.save_for_backward(gate, up)
        return _gate(gate, up)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        gate, up = ctx.saved_tensors
        if fused.supports(gate, up, gradients[0]):
            return fused.gated_backward(gate, up, gradients[0])
        dgate, dup = torch.empty_like(gate), torch.empty_like(up)
        for part in slabs(gate):
            dy = gradients[0][part]
            torch.mul(dy, F.silu(gate[part]), out=dup[part])
            dgate[part] = torch.ops.aten.silu_backward(dy * up[part], gate[part])
        return dgate, dup


class _RotaryEmbedding(torch.autograd.Function):
    """Rotates dimension i of a head with dimension i + D/2; the backward pass rotates by the negative angle."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _rotate(x, cos, sin)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        cos, sin = ctx.saved_tensors
        return _rotate(gradients[0], cos, -sin), None, None


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    if fused.supports(x, cos, sin):
        return fused.rotate(x, cos, sin)
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    half = x.shape[-1] // 2
    for part in slabs(x):
        left, right = x[part, :, :half], x[part, :, half:]
        c, s = cos[part, None, :half], sin[part, None, :half]
        torch.mul(left, c, out=out[part, :, :half]).addcmul_(right, s, value=-1)
        torch.mul(right, c, out=out[part, :, half:]).addcmul_(left, s)
    return out
