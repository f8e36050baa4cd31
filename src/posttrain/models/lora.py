"""LoRA adapters of a network, through peft and in its file format (Hu et al., 2021)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from posttrain.errors import ModelError
from posttrain.models.effective_weight import ADAPTER, effective_weight
from posttrain.models.lora_targets import named_modules, resolve_targets
from posttrain.models.network import Network
from posttrain.models.originals import Originals, restored
from posttrain.models.quantised import dequantise, unpacked_state
from posttrain.models.tying import ends, is_tied, untie

if TYPE_CHECKING:
    from peft import LoraConfig


def add_lora(
    network: Network,
    rank: int,
    alpha: float,
    targets: str | Sequence[str] = "all-linear",
    *,
    modules_to_save: Sequence[str] = (),
    rslora: bool = False,
    seed: int = 0,
    dtype: torch.dtype | None = None,
) -> None:
    """Freeze the trunk and add trainable adapters to its layers. Heads stay trainable.

    `targets` are names of layers, or `all-linear` (all but the last). `modules_to_save` are trained in full beside
    them. `rslora` scales adapters by alpha / sqrt(rank) (Kalajdzievski, 2023). A new adapter does not change the
    outputs. Its dtype is float32 by default (float64 for a float64 trunk), so it needs no master weights. Raises
    ModelError if the model has adapters already or no layer with such a name.
    """
    from peft import LoraConfig, inject_adapter_in_model

    if adapted(network):
        raise ModelError("the model has LoRA adapters already; merge them before adding others")
    full = named_modules(network, modules_to_save)
    wanted = resolve_targets(network, targets, full)
    config = LoraConfig(
        r=rank, lora_alpha=alpha, target_modules=wanted, lora_dropout=0.0, use_rslora=rslora, task_type="CAUSAL_LM"
    )
    network.trunk.requires_grad_(False)
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about tied weights, which `save` takes apart where they differ
            torch.manual_seed(seed)
            inject_adapter_in_model(config, network.trunk, ADAPTER)
    except ValueError as error:
        raise ModelError(f"LoRA targets {targets!r}: {str(error).splitlines()[0]}") from error
    wide = dtype or torch.promote_types(network.unembedding[0].dtype, torch.float32)
    for name, parameter in network.trunk.named_parameters():
        if ".lora_" in name:
            parameter.data = parameter.data.to(wide)
    _train_fully(network, full)


def _train_fully(network: Network, modules: Mapping[str, nn.Module]) -> None:
    """Train the weights of some modules beside the adapters, and remember what they were."""
    chosen = {id(p) for module in modules.values() for n, p in module.named_parameters() if "lora_" not in n}
    for name, parameter in network.named_parameters():
        if id(parameter) in chosen:
            network.originals[name] = parameter.detach().clone()
            parameter.requires_grad_(True)


def trained_parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return what is trained: everything, the heads alone, or of a model with adapters these, its heads and what else
    was chosen.
    """
    if getattr(module, "only_heads", False):
        return _heads(module)
    if not adapted(module):
        return dict(module.named_parameters())
    full = getattr(module, "originals", ())
    every = module.named_parameters()
    return {n: p for n, p in every if "lora_" in n or n.startswith("heads.") or n in full}


def _heads(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the weights of the heads. Raises ModelError for a model without any, of which nothing would be trained."""
    found = {n: p for n, p in module.named_parameters() if n.startswith("heads.")}
    if not found:
        raise ModelError("model.trained is heads, but the method trains a model without any; set model.trained: all")
    return found


def adapted(module: nn.Module) -> bool:
    """Whether the model has LoRA adapters."""
    return any(".lora_" in name for name, _ in module.named_parameters())


@contextmanager
def without_adapters(network: Network) -> Iterator[None]:
    """Switch the adapters of a network off inside the context: it then computes what its base model does."""
    _switch(network, on=False)
    try:
        with restored(network, network.originals):
            yield
    finally:
        _switch(network, on=True)


def _switch(network: Network, *, on: bool) -> None:
    """Switch adapters in place. Unlike `enable_adapters` of peft, it does not change which parameters are trained."""
    for _, layer in _layers(network):
        layer._disable_adapters = not on


def merge(network: Network) -> None:
    """Merge the adapters into the weights, for good. The network has no adapters then, and all of it is trainable."""
    dequantise(network.trunk)
    if takes_apart(network):
        untie(network.trunk)
    for name, layer in list(_layers(network)):
        layer.merge(safe_merge=True)
        parent, _, child = name.rpartition(".")
        setattr(network.trunk.get_submodule(parent), child, layer.get_base_layer())
    with suppress(AttributeError):
        del network.trunk.peft_config
    network.originals = Originals()
    network.trunk.requires_grad_(True)


def merged_state(network: Network) -> dict[str, Tensor]:
    """The trunk's state dict with the adapters merged into the weights, under the names of a trunk without adapters."""
    unpacked = unpacked_state(network.trunk)
    state = {n.replace(".base_layer.", "."): x for n, x in unpacked.items() if ".lora_" not in n}
    with torch.no_grad():  # in host memory, since a device may not hold the weights of a quantised model
        return state | {f"{name}.weight": effective_weight(layer).cpu() for name, layer in _layers(network)}


def takes_apart(network: Network) -> bool:
    """Whether merging makes two matrices of one: the model is tied, and one of its ends has an adapter."""
    layers = [layer for _, layer in _layers(network)]
    return is_tied(network.trunk) and any(layer is end for layer in layers for end in ends(network.trunk))


def save_adapter(network: Network, folder: Path) -> None:
    """Write `adapter_config.json` and `adapter_model.safetensors`, as peft and inference engines read them."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = get_peft_model_state_dict(network.trunk, adapter_name=ADAPTER, save_embedding_layers=False)
    weights |= (full := _fully_trained(network))
    named = {f"base_model.model.{name}": x.contiguous() for name, x in weights.items()}
    save_file(named, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config: LoraConfig = network.trunk.peft_config[ADAPTER]
    config.base_model_name_or_path = network.trunk.name_or_path
    config.modules_to_save = sorted({name.rpartition(".")[0] for name in full}) or None
    config.save_pretrained(folder)


def _fully_trained(network: Network) -> dict[str, Tensor]:
    """The weights beside the adapters that are trained too, in memory of their own, under each of their names."""
    chosen = {id(network.get_parameter(name)) for name in network.originals}
    every = network.trunk.named_parameters(remove_duplicate=False)
    return {name: p.detach().clone() for name, p in every if id(p) in chosen}


def _layers(network: Network) -> Iterator[tuple[str, Any]]:
    """Yield the layers of the trunk that have adapters, with their names."""
    if not adapted(network.trunk):
        return  # without peft, whose 250 modules a run of whole weights would load with its first checkpoint
    from peft.tuners.lora import LoraLayer

    for name, module in network.trunk.named_modules():
        if isinstance(module, LoraLayer) and isinstance(module, nn.Module):
            yield name, module
