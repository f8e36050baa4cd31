"""LoRA adapters of several members on one trunk: an ensemble of reward models that costs little more than one.

The lower layers are frozen and run once for all members. In the last layers each member has adapters of its own; their
states lie end to end from there on and run through the same matrices together. A score head has a row a member.

Legend: M members, S tokens that the trunk reads, R rank.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from posttrain.errors import ModelError
from posttrain.models import llama
from posttrain.models.adapters import refuse_others
from posttrain.models.lora_targets import ALL, resolve_targets
from posttrain.models.members import Members
from posttrain.models.network import Network

SIXTH = 6  # members of a sixth of the layers: four cost 1 + 3/6 forward passes


class MemberLinear(nn.Module):
    """A frozen linear layer with an adapter for each member: x W' + scale (x A_m') B_m' for the tokens of member m."""

    def __init__(self, base: nn.Linear, members: Members, dtype: torch.dtype, generator: torch.Generator) -> None:
        super().__init__()
        self.base_layer, self.scale = base, members.scale
        down = torch.rand(members.count, members.rank, base.in_features, generator=generator)
        down = (2 * down - 1) / math.sqrt(base.in_features)  # as peft begins
        up = torch.zeros(members.count, base.out_features, members.rank)
        place = base.weight.device
        self.lora_A, self.lora_B = nn.Parameter(down.to(place, dtype)), nn.Parameter(up.to(place, dtype))

    def forward(self, x: Tensor) -> Tensor:
        """[M S, in] -> [M S, out], the tokens of one member after those of another."""
        own = x.view(len(self.lora_A), -1, x.shape[-1]).to(self.lora_A.dtype)
        update = self.scale * (own @ self.lora_A.mT) @ self.lora_B.mT
        projected: Tensor = self.base_layer(x)
        return projected + update.flatten(0, 1).to(x.dtype)


def add_members(
    network: Network,
    count: int,
    rank: int,
    alpha: float,
    layers: int | None = None,
    targets: str | Sequence[str] = ALL,
    *,
    rslora: bool = False,
    seed: int = 0,
) -> None:
    """Freeze the trunk and give each member adapters in the last `layers` (null: a sixth). Heads stay trainable.

    `targets` are names of layers, or `all-linear`. Members differ in their matrices A from the start; B is 0, so that
    nothing changes yet. Raises ModelError for a model that does not run in our own forward pass.
    """
    decoder = network.trunk.base_model
    if not network.flat or not llama.supports(decoder):
        raise ModelError(
            f"lora.members: {type(decoder).__name__} has no layers that members can share; use a model of the kind of "
            f"{', '.join(llama.SUPPORTED)}, or an ensemble of heads (method: reward/ensemble, without lora.members)"
        )
    refuse_others(network)
    depth = len(decoder.layers)
    own = layers or -(-depth // SIXTH)
    if own > depth:
        raise ModelError(f"lora.member_layers: {own} is more than the {depth} layers of the model; lower it")
    members = Members(count, rank, alpha, depth - own, rslora)
    names = resolve_targets(network, targets)
    network.trunk.requires_grad_(False)
    _insert(network, members, None if names == ALL else names, torch.Generator().manual_seed(seed))
    if next(adapters(network), None) is None:
        raise ModelError(f"lora.targets: {targets!r} names no linear layer among the last {own}")
    network.lora_members = members


def _insert(network: Network, members: Members, names: Sequence[str] | None, generator: torch.Generator) -> None:
    """Put adapters around the linear layers with these names, or around all, above those that all share."""
    wide = torch.promote_types(network.unembedding[0].dtype, torch.float32)
    for block in network.trunk.base_model.layers[members.shared :]:
        for path, layer in [(n, m) for n, m in block.named_modules() if isinstance(m, nn.Linear)]:
            if names is None or any(f".{path}".endswith(f".{name}") for name in names):
                parent, _, child = path.rpartition(".")
                setattr(block.get_submodule(parent), child, MemberLinear(layer, members, wide, generator))


def adapters(network: Network) -> Iterator[tuple[str, MemberLinear]]:
    """Yield the layers that have adapters of members, with their names in the trunk."""
    for name, module in network.trunk.named_modules():
        if isinstance(module, MemberLinear):
            yield name, module


def gram(network: Network) -> Tensor:
    """Products of the members' updates with each other, summed over all weights: [M, M], ⟨ΔW_m, ΔW_n⟩.

    With ΔW = B A it is a sum of tr(A_m A_n' B_n' B_m), so that no update is ever written out.
    """
    products = []
    for _, layer in adapters(network):
        inner = torch.einsum("mri,nsi->mnrs", layer.lora_A, layer.lora_A)
        outer = torch.einsum("mor,nos->mnrs", layer.lora_B, layer.lora_B)
        products.append(layer.scale**2 * (inner * outer).sum((2, 3)))
    return torch.stack(products).sum(0)
