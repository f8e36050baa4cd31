"""Models without their weights: what another process needs to make a model of the same shape."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import torch
from torch import nn

T = TypeVar("T")


def emptied(models: T, modules: list[nn.Module]) -> T:
    """Copy a structure that holds these modules, with parameters that have a shape and no memory.

    Buffers keep their values. What is shared stays shared.
    """
    memo: dict[int, Any] = {}
    for module in modules:
        for p in module.parameters():
            memo[id(p)] = nn.Parameter(torch.empty_like(p, device="meta"), requires_grad=p.requires_grad)
    return copy.deepcopy(models, memo)


def allocate(module: nn.Module, device: torch.device, *, wide: bool, made: dict[int, nn.Parameter]) -> None:
    """Give the parameters of a module memory, with any values. `wide`: at least float32.

    `made`: what was allocated before, so that one matrix stays one.
    """
    for part in module.modules():
        for name, p in part._parameters.items():
            if p is None or not p.is_meta:
                continue
            if id(p) not in made:
                dtype = torch.promote_types(p.dtype, torch.float32) if wide and p.is_floating_point() else p.dtype
                made[id(p)] = nn.Parameter(torch.empty(p.shape, dtype=dtype, device=device), p.requires_grad)
            part._parameters[name] = made[id(p)]
