"""One network whose weights are divided over the processes of a group: FSDP2 (Zhao et al., 2023).

Each layer is a unit: its weights are gathered before it computes and freed behind it, and its gradient is added up over
the processes and divided again. The rest of the trunk, embedding and last layer in it, is one unit, so that a matrix
that is both stays one. Heads are small: every process has all of them, and their gradients are added up before a step.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, Shard

from posttrain.backends.fsdp.group import Group
from posttrain.backends.fsdp.skeleton import allocate
from posttrain.models import llama
from posttrain.models.adapters import MARKS
from posttrain.models.network import Network


def shard(skeleton: Network, group: Group, *, wide: bool) -> Network:
    """Allocate a network that has no weights yet and divide it over the processes, in place.

    `wide`: the weights are at least float32, and each layer computes in the type that the skeleton has.
    """
    warnings.filterwarnings("ignore", "FSDP2-wrapped module .* returned a view")  # which nothing changes in place
    made: dict[int, nn.Parameter] = {}
    narrow = Counter(p.dtype for p in skeleton.trunk.parameters()).most_common(1)[0][0]
    precise = wide and narrow != torch.promote_types(narrow, torch.float32)
    mixed = MixedPrecisionPolicy(narrow, torch.float32, cast_forward_inputs=False) if precise else _PLAIN
    how: dict[str, Any] = {"mesh": group.mesh, "reshard_after_forward": True, "mp_policy": mixed}
    for block in blocks(skeleton):
        allocate(block, group.device, wide=wide, made=made)
        fully_shard(block, ignored_params=replicated(skeleton), **how)
        if llama.supports(skeleton.trunk.base_model):
            setattr(block, llama.THROUGH, MethodType(llama.through, block))
            register_fsdp_forward_method(block, llama.THROUGH)
    allocate(skeleton, group.device, wide=wide, made=made)
    skeleton.to(group.device)  # buffers and heads
    fully_shard(skeleton, ignored_params=replicated(skeleton), **how)
    register_fsdp_forward_method(skeleton, "outputs")
    for module in skeleton.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)  # losses are sums over a count of the whole step
            module.set_force_sum_reduction_for_comms(enable=True)
            module.set_reshard_after_forward(reshard_after_forward=True)  # the root, too: weights change between passes
    return skeleton


_PLAIN = MixedPrecisionPolicy(cast_forward_inputs=False)


def blocks(network: Network) -> list[nn.Module]:
    """The layers of the trunk: the members of its longest list of modules."""
    lists = [m for m in network.trunk.modules() if isinstance(m, nn.ModuleList)]
    return list(max(lists, key=len, default=()))


def replicated(network: Network) -> set[nn.Parameter]:
    """The small parameters that every process has: heads, and the adapters of members, which an output compares."""
    of_members = network.lora_members is not None
    named = network.named_parameters()
    return {p for n, p in named if n.startswith("heads.") or (of_members and any(mark in n for mark in MARKS))}


def local(p: Tensor) -> Tensor:
    """The part of a parameter or gradient that this process holds, in the same memory."""
    x = p.detach()
    return x.to_local() if isinstance(x, DTensor) else x


def cut(full: Tensor, like: Tensor) -> Tensor:
    """The part of a whole tensor that this process holds of one like it."""
    if not isinstance(like, DTensor):
        return full
    parts = full.chunk(like.device_mesh.size())
    rank = like.device_mesh.get_local_rank()
    return parts[rank] if rank < len(parts) else full[:0]


def whole(part: Tensor, like: Tensor) -> Tensor:
    """The whole tensor of which each process holds a part, as it does of one like it. All processes call it."""
    if not isinstance(like, DTensor):
        return part.detach()
    placed = DTensor.from_local(
        part.detach().reshape(local(like).shape), like.device_mesh, [Shard(0)], run_check=False,
        shape=like.shape, stride=like.stride(),
    )  # fmt: skip
    return placed.full_tensor()


class Parts:
    """What this process holds of the parameters of a network, by name, in the same memory."""

    def __init__(self, module: nn.Module) -> None:
        self.full = dict(module.named_parameters())
        self.local = {n: nn.Parameter(local(p), requires_grad=False) for n, p in self.full.items()}

    def parameters(self) -> list[nn.Parameter]:
        """The parts, in the order of the parameters."""
        return list(self.local.values())

    @torch.no_grad()
    def copy(self, others: Parts) -> None:
        """Take the values of the same parameters of another network."""
        for name, p in self.local.items():
            p.copy_(others.local[name])

    @torch.no_grad()
    def fill(self, values: Mapping[str, Tensor], group: Group) -> None:
        """Take the values of whole tensors that the first process has; the others get theirs from it."""
        for name, p in self.full.items():
            value = values[name] if group.rank == 0 else torch.empty(p.shape, device="meta")
            self.local[name].copy_(cut(group.shared(value.to(p.dtype)), p))
