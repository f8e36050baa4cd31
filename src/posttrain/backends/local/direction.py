"""Random directions in the parameter space of a model, drawn from their seed each time they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import sqrt
from random import Random

import torch
from torch import Tensor, nn

from posttrain.backends.protocol import Direction
from posttrain.models.adapters import trained_parameters
from posttrain.seeds import seed_for

Parameters = Mapping[str, nn.Parameter]


def movable(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that determine the policy: all that are trained but the heads'."""
    return {n: p for n, p in trained_parameters(module).items() if not n.startswith("heads.")}


@torch.no_grad()
def shift(parameters: Parameters, direction: Direction, length: float) -> None:
    """Move the parameters along a direction, in place: θ += length v."""
    for p, v in zip(parameters.values(), drawn(parameters, direction), strict=True):
        p.add_(v.to(p), alpha=length)


def drawn(parameters: Parameters, direction: Direction) -> Iterator[Tensor]:
    """Yield v, one tensor per parameter; on the CPU, so that every machine draws the same numbers."""
    if isinstance(direction.shape, int):
        yield from _sparse(parameters, direction.seed, direction.shape)
        return
    scale = 1.0
    if direction.shape == "sphere":
        squares = sum(float(v.double().square().sum()) for v in _normal(parameters, direction.seed))
        scale = sqrt(_count(parameters) / squares)
    for v in _normal(parameters, direction.seed):
        yield scale * v


def _normal(parameters: Parameters, seed: int) -> Iterator[Tensor]:
    for name, p in parameters.items():
        generator = torch.Generator().manual_seed(seed_for(seed, name))
        yield torch.randn(p.shape, generator=generator, dtype=torch.float32)


def _sparse(parameters: Parameters, seed: int, count: int) -> Iterator[Tensor]:
    total, generator, start = _count(parameters), Random(seed), 0  # noqa: S311 (no secret)
    chosen = sorted(generator.sample(range(total), min(count, total)))
    size = sqrt(total / len(chosen))
    signed = [size if generator.random() < 0.5 else -size for _ in chosen]
    coordinates, values = torch.tensor(chosen), torch.tensor(signed)
    for p in parameters.values():
        inside = (coordinates >= start) & (coordinates < start + p.numel())
        yield torch.zeros(p.numel()).index_put((coordinates[inside] - start,), values[inside]).reshape(p.shape)
        start += p.numel()


def _count(parameters: Parameters) -> int:
    return sum(p.numel() for p in parameters.values())
