"""The state of a learner as a tree of what this process holds: mapped to whole tensors, to files, and filled again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor, Shard

from posttrain.backends.fsdp.group import Group
from posttrain.backends.fsdp.sharding import cut, local, whole


@dataclass(frozen=True)
class Leaf:
    """A tensor that this process holds a part of, or all. `like`: the parameter whose division it has."""

    part: Tensor
    like: Tensor

    @property
    def divided(self) -> bool:
        """Whether other processes hold other parts."""
        return isinstance(self.like, DTensor)

    def gathered(self, *, keep: bool = True) -> Tensor | None:
        """The whole tensor in host memory, as flat as the part is, if this process keeps it. All call this."""
        full = whole(self.part, self.like)
        return (full.reshape(-1) if self.part.dim() == 1 else full).to("cpu", copy=True) if keep else None

    @torch.no_grad()
    def take(self, full: Tensor, group: Group) -> None:
        """Take this process's part of a whole tensor that the first process has."""
        shared = group.shared(full)
        self.part.copy_((cut(shared.view(self.like.shape), self.like) if self.divided else shared).view_as(self.part))

    def on_host(self, mesh: DeviceMesh, *, copied: bool) -> DTensor:
        """A divided tensor in host memory, with or without the values of this one."""
        part = self.part.detach().reshape(local(self.like).shape)
        host = part.to("cpu", copy=True) if copied else torch.empty_like(part, device="cpu")
        placed = DTensor.from_local(
            host, mesh, [Shard(0)], run_check=False, shape=self.like.shape, stride=self.like.stride()
        )
        assert isinstance(placed, DTensor)
        return placed


def mapped(tree: Any, change: Callable[[Leaf, str], Any], place: str = "") -> Any:
    """Replace every leaf of a tree by what `change` makes of it and its place."""
    if isinstance(tree, Leaf):
        return change(tree, place)
    if isinstance(tree, Mapping):
        return {k: mapped(v, change, f"{place}/{k}" if place else str(k)) for k, v in tree.items()}
    if isinstance(tree, list):
        return [mapped(v, change, f"{place}/{n}") for n, v in enumerate(tree)]
    return tree


def paired(tree: Any, saved: Any) -> Iterator[tuple[Leaf, Any]]:
    """Yield the leaves of a tree with what another has in their places; places that one of them lacks are left out."""
    if isinstance(tree, Leaf):
        yield tree, saved
    elif isinstance(tree, Mapping):
        for key in (k for k in tree if k in saved):  # in the same order in all processes
            yield from paired(tree[key], saved[key])
    elif isinstance(tree, list):
        for own, other in zip(tree, saved, strict=True):
            yield from paired(own, other)
