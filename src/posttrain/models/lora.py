"""LoRA adapters of a network, through peft and in its file format (Hu et al., 2021)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from posttrain.errors import ModelError
from posttrain.models.network import Network

if TYPE_CHECKING:
    from peft import LoraConfig

ADAPTER = "default"  # the name peft gives to an adapter


def add_lora(
    network: Network,
    rank: int,
    alpha: float,
    targets: str | Sequence[str] = "all-linear",
    *,
    seed: int = 0,
    dtype: torch.dtype | None = None,
) -> None:
    """Freeze the trunk and add trainable adapters to its linear layers. Heads stay trainable.

    `targets` are names of layers, or `all-linear` (all but the last). A new adapter does not change the outputs. Its
    dtype is float32 by default (float64 for a float64 trunk), so it needs no master weights. Raises ModelError if the
    model has adapters already or no layer with such a name.
    """
    from peft import LoraConfig, inject_adapter_in_model

    if adapted(network):
        raise ModelError("the model has LoRA adapters already; merge them before adding others")
    wanted = targets if isinstance(targets, str) else list(targets)
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=wanted, lora_dropout=0.0, task_type="CAUSAL_LM")
    network.trunk.requires_grad_(False)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            inject_adapter_in_model(config, network.trunk, ADAPTER)
    except ValueError as error:
        raise ModelError(f"LoRA targets {targets!r}: {str(error).splitlines()[0]}") from error
    wide = dtype or torch.promote_types(network.unembedding[0].dtype, torch.float32)
    for name, parameter in network.trunk.named_parameters():
        if ".lora_" in name:
            parameter.data = parameter.data.to(wide)


def adapted(module: nn.Module) -> bool:
    """Whether the model has LoRA adapters."""
    return any(".lora_" in name for name, _ in module.named_parameters())


@contextmanager
def without_adapters(network: Network) -> Iterator[None]:
    """Switch the adapters of a network off inside the context: it then computes what its base model does."""
    _switch(network, on=False)
    try:
        yield
    finally:
        _switch(network, on=True)


def _switch(network: Network, *, on: bool) -> None:
    """Switch adapters in place. Unlike `enable_adapters` of peft, it does not change which parameters are trained."""
    for _, layer in _layers(network):
        layer._disable_adapters = not on


def merge(network: Network) -> None:
    """Merge the adapters into the weights, for good. The network has no adapters then, and all of it is trainable."""
    for name, layer in list(_layers(network)):
        layer.merge(safe_merge=True)
        parent, _, child = name.rpartition(".")
        setattr(network.trunk.get_submodule(parent), child, layer.get_base_layer())
    with suppress(AttributeError):
        del network.trunk.peft_config
    network.trunk.requires_grad_(True)


def merged_state(network: Network) -> dict[str, Tensor]:
    """The trunk's state dict with the adapters merged into the weights, under the names of a trunk without adapters."""
    state = {n.replace(".base_layer.", "."): x for n, x in network.trunk.state_dict().items() if ".lora_" not in n}
    for name, layer in _layers(network):
        weight = state[f"{name}.weight"]
        state[f"{name}.weight"] = weight + layer.get_delta_weight(ADAPTER).to(weight.dtype)
    return state


def save_adapter(network: Network, folder: Path) -> None:
    """Write `adapter_config.json` and `adapter_model.safetensors`, as peft and inference engines read them."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = get_peft_model_state_dict(network.trunk, adapter_name=ADAPTER)
    named = {f"base_model.model.{name}": x.contiguous() for name, x in weights.items()}
    save_file(named, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config: LoraConfig = network.trunk.peft_config[ADAPTER]
    config.base_model_name_or_path = network.trunk.name_or_path
    config.save_pretrained(folder)


def _layers(network: Network) -> Iterator[tuple[str, Any]]:
    """Yield the layers of the trunk that have adapters, with their names."""
    from peft.tuners.lora import LoraLayer

    for name, module in network.trunk.named_modules():
        if isinstance(module, LoraLayer) and isinstance(module, nn.Module):
            yield name, module
