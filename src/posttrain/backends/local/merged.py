"""Modules of one architecture that become one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from posttrain.errors import ModelError
from posttrain.models.adapters import adapted
from posttrain.models.merging.merge import Merge, depth
from posttrain.models.without_adapters import WithoutAdapters


@torch.no_grad()
def merged(models: Mapping[str, nn.Module], merge: Merge, base: nn.Module | None) -> nn.Module:
    """Return the module that the models of several roles become, heads included. Raises ConfigError or ModelError."""
    made = None
    for name, x in merged_tensors(models, merge, base):
        made = made or copy.deepcopy(next(iter(models.values())))
        made.get_parameter(name).copy_(x)
    assert made is not None
    return made


@torch.no_grad()
def merged_tensors(
    models: Mapping[str, nn.Module],
    merge: Merge,
    base: nn.Module | None,
    read: Callable[[Tensor], Tensor] = lambda p: p,
) -> Iterator[tuple[str, Tensor]]:
    """Yield the parameters that the models become, by name. `read` makes whole tensors of parameters."""
    merge.check(len(models), base=base is not None)
    roles, modules = list(models), list(models.values())
    if any(isinstance(m, WithoutAdapters) or adapted(m) for m in modules):
        raise ModelError(
            f"{', '.join(roles)}: adapters are not merged within a run, because averages of their factors are not "
            "the average of their updates; train whole weights (no model.lora or model.ia3), or merge what runs have "
            "saved with `posttrain merge`"
        )
    sources = [dict(m.named_parameters()) for m in modules]
    origin = None if base is None else dict(base.named_parameters())
    for role, source in zip(roles[1:], sources[1:], strict=True):
        if differing := source.keys() ^ sources[0].keys():
            raise ModelError(f"{roles[0]} and {role} cannot be merged: only one of them has {min(differing)}")
    layers = depth(sources[0])
    for name in sources[0]:
        tensors = [read(s[name]) for s in sources]
        beginning = None
        if origin is not None:  # a head that training has added began at 0
            beginning = read(origin[name]) if name in origin else torch.zeros_like(tensors[0])
        yield name, merge.tensor(name, tensors, beginning, layers)
