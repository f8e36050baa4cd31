"""Modules of one architecture that become one."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import nn

from posttrain.errors import ModelError
from posttrain.models.adapters import adapted
from posttrain.models.merging.merge import Merge, depth
from posttrain.models.without_adapters import WithoutAdapters


@torch.no_grad()
def merged(models: Mapping[str, nn.Module], merge: Merge, base: nn.Module | None) -> nn.Module:
    """Return the module that the models of several roles become, heads included. Raises ConfigError or ModelError."""
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
    made, layers = copy.deepcopy(modules[0]), depth(sources[0])
    for name, p in made.named_parameters():
        beginning = None if origin is None else origin.get(name, torch.zeros_like(p))  # a head that training has added
        p.copy_(merge.tensor(name, [s[name] for s in sources], beginning, layers))
    return made
