"""Linear layers whose frozen weights are kept in 4 bits, under LoRA adapters (QLoRA; Dettmers et al., 2023)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posttrain.errors import ModelError
from posttrain.models import nf4
from posttrain.models.loading.probe import probe
from posttrain.models.lora_targets import named_modules
from posttrain.models.network import Network

NOTABLE = 0.1  # share of the weights; if more cannot be packed, a warning says so

_log = logging.getLogger(__name__)


class QuantisedLinear(nn.Linear):
    """A linear layer that unpacks its frozen weight for each product, in the dtype that the weight had.

    Sampling and training multiply by the same numbers. It is a Linear for whoever looks for layers to adapt.
    """

    packed: Tensor
    scales: Tensor

    def __init__(self, layer: nn.Linear, device: str | torch.device) -> None:
        nn.Module.__init__(self)  # that of Linear would make a weight
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.dtype = layer.weight.dtype
        packed, scales = nf4.pack(layer.weight.detach().to(device))
        self.register_buffer("packed", packed)  # parameters would have to be floating-point numbers to be averaged
        self.register_buffer("scales", scales)
        self.bias = layer.bias

    @property
    def weight(self) -> Tensor:  # type: ignore[override]
        """The weight, unpacked anew each time: [out, in]."""
        return nf4.unpack(self.packed, self.scales, (self.out_features, self.in_features), self.dtype)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, _Product.apply(x, self))  # type: ignore[no-untyped-call]


class _Product(torch.autograd.Function):
    """A product that keeps no unpacked weight for the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: QuantisedLinear) -> Tensor:
        ctx.layer = layer
        return F.linear(x, layer.weight, layer.bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient @ ctx.layer.weight, None


def quantise(network: Network, device: str | torch.device, *, whole: Sequence[str] = ()) -> None:
    """Move a network to the device and keep the weights of its linear layers there in 4 bits.

    All but those of the last layer, and of the modules in `whole`, which are trained in full. Layers are packed one by
    one, so the device never holds the whole weights. Raises ModelError for a network that does not run on flat tokens,
    has no linear layers, or gives other logits then.
    """
    trunk, name = network.trunk, type(network.trunk).__name__
    if not network.flat:
        raise ModelError(f"model.quantize: {name} does not run on flat tokens, which nf4 needs; remove model.quantize")
    kept = {id(m) for module in named_modules(network, whole).values() for m in module.modules()}
    layers = [layer for layer in _linear(trunk) if id(layer) not in kept | {id(trunk.get_output_embeddings())}]
    if not layers:
        raise ModelError(f"model.quantize: {name} has no linear layers of torch to keep in 4 bits; remove it")
    for layer in layers:
        _replace(trunk, layer, QuantisedLinear(layer, device))
    network.to(device)
    _name_the_rest(network, kept)
    probe(network)


def dequantise(trunk: nn.Module) -> None:
    """Give the layers unpacked weights again, for good."""
    for layer in list(_packed(trunk).values()):
        plain = nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None, device="meta")
        plain.weight, plain.bias = nn.Parameter(layer.weight), layer.bias
        _replace(trunk, layer, plain)


def unpacked_state(trunk: nn.Module) -> dict[str, Tensor]:
    """The state dict with the weights that packed ones stand for, these in host memory."""
    state: dict[str, Tensor] = dict(trunk.state_dict())
    for name, layer in _packed(trunk).items():
        del state[f"{name}.packed"], state[f"{name}.scales"]
        state[f"{name}.weight"] = layer.weight.cpu()
    return state


def _linear(trunk: nn.Module) -> Iterator[nn.Linear]:
    return (module for module in trunk.modules() if isinstance(module, nn.Linear))


def _packed(trunk: nn.Module) -> dict[str, QuantisedLinear]:
    modules = trunk.named_modules(remove_duplicate=False)
    return {name: module for name, module in modules if isinstance(module, QuantisedLinear)}


def _replace(trunk: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """Put a module in the place of another, under each of its names."""
    names = [name for name, module in trunk.named_modules(remove_duplicate=False) if module is old]
    for name in names:
        parent, _, child = name.rpartition(".")
        setattr(trunk.get_submodule(parent), child, new)


def _name_the_rest(network: Network, kept: set[int]) -> None:
    """Warn if much of the weights is in no linear layer, such as the experts of a mixture in one tensor."""
    packed = sum(layer.in_features * layer.out_features for layer in _packed(network.trunk).values())
    own = {n: m for n, m in network.trunk.named_modules() if id(m) not in kept and not isinstance(m, nn.Embedding)}
    own = {n: m for n, m in own.items() if m is not network.trunk.get_output_embeddings()}
    rest = {f"{n}.{k}": p.numel() for n, m in own.items() for k, p in m.named_parameters(recurse=False)}
    share = sum(rest.values()) / (packed + sum(rest.values()))
    if share > NOTABLE:
        _log.warning(
            "model.quantize: %.0f%% of the weights between the first and the last layer are in no linear layer and are "
            "not quantised, %s above all",
            100 * share, max(rest, key=lambda name: rest[name]),
        )  # fmt: skip
