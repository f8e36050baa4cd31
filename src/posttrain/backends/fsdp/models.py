"""The networks of a group: divided, copied, and put together again."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from posttrain.backends.fsdp.group import Group
from posttrain.backends.fsdp.sharding import Parts, local, shard, whole
from posttrain.backends.fsdp.skeleton import allocate, emptied
from posttrain.models.adapters import trained_parameters
from posttrain.models.network import Network
from posttrain.models.without_adapters import WithoutAdapters

NARROW = (torch.bfloat16, torch.float16)


class Models:
    """Makes the divided networks of this process. `skeletons`: each without its weights and heads."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.skeletons: WeakKeyDictionary[nn.Module, Network] = WeakKeyDictionary()

    def of(self, skeletons: Mapping[str, Any]) -> dict[str, Any]:
        """Divide the networks of several roles; those that are one stay one."""
        made: dict[int, Network] = {}
        for skeleton in skeletons.values():
            if id(skeleton) not in made:
                made[id(skeleton)] = self._shard(skeleton, wide=False)
        return {role: made[id(skeleton)] for role, skeleton in skeletons.items()}

    def _shard(self, skeleton: Network, *, wide: bool) -> Network:
        kept = emptied(skeleton, [skeleton])
        kept.heads = nn.ModuleDict()
        network = shard(skeleton, self.group, wide=wide)
        self.skeletons[network] = kept
        return network

    def is_narrow(self, module: nn.Module) -> bool:
        """Whether weights that would be trained are too short for small steps."""
        return any(p.dtype in NARROW for p in trained_parameters(module).values())

    @torch.no_grad()
    def clone(self, module: Any, *, wide: bool = False) -> Any:
        """Copy a network with its weights, which stay divided as they are."""
        if isinstance(module, WithoutAdapters):
            return WithoutAdapters(self.clone(module.network))
        blank = emptied(self.skeletons[module], [self.skeletons[module]])
        blank.heads = copy.deepcopy(module.heads)
        made = self._shard(blank, wide=wide)
        Parts(made).copy(Parts(module))
        for own, other in zip(made.parameters(), module.parameters(), strict=True):
            own.requires_grad_(other.requires_grad)
        return made

    @torch.no_grad()
    def whole(self, module: Any, device: torch.device, *, everywhere: bool) -> Any:
        """Put a network together on a device, in every process or in the first alone. All processes call this."""
        if isinstance(module, WithoutAdapters):
            return WithoutAdapters(self.whole(module.network, device, everywhere=everywhere))
        keeps = everywhere or self.group.rank == 0
        made = emptied(self.skeletons[module], [self.skeletons[module]])
        if keeps:
            allocate(made, device, wide=False, made={})
            made.heads = copy.deepcopy(module.heads)
            made.to(device).requires_grad_(False)
        self.pour(module, made if keeps else None)
        return made

    @torch.no_grad()
    def pour(self, module: nn.Module, target: nn.Module | None) -> None:
        """Copy the whole weights of a divided network into one of this process, or into none."""
        targets = dict(target.named_parameters()) if target is not None else {}
        for name, p in module.named_parameters():
            full = whole(local(p), p)
            if target is not None:
                targets[name].copy_(full)
