"""Adapters of a network, of any kind: switched off, merged into the weights, and saved in the file format of peft.

How a kind begins is in a file of its own: lora.py, ia3.py. What it does to the weight of a layer: effective_weight.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from posttrain.errors import ModelError
from posttrain.models.effective_weight import ADAPTER, effective_bias, effective_weight
from posttrain.models.network import Network
from posttrain.models.originals import Originals, restored
from posttrain.models.quantised import dequantise, unpacked_state
from posttrain.models.tying import ends, is_tied, untie

if TYPE_CHECKING:
    from peft import PeftConfig

Dtype = torch.dtype | None
VECTOR = ".ia3_l."
MARKS = (".lora_", VECTOR)  # in the names of the parameters of adapters


def insert(network: Network, config: PeftConfig, full: Mapping[str, nn.Module], seed: int, dtype: Dtype = None) -> None:
    """Freeze the trunk and put the adapters of a config of peft into it. The modules in `full` are trained beside them.

    `dtype` is that of the adapters: float32 by default (float64 for a float64 trunk), so they need no master weights.
    Raises ValueError for targets that peft does not adapt.
    """
    from peft import inject_adapter_in_model

    network.trunk.requires_grad_(False)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about tied weights, which `save` takes apart where they differ
        torch.manual_seed(seed)
        inject_adapter_in_model(config, network.trunk, ADAPTER)
    wide = dtype or torch.promote_types(network.unembedding[0].dtype, torch.float32)
    for name, parameter in network.trunk.named_parameters():
        if _of_adapter(name):
            parameter.data = parameter.data.to(wide)
    _train_fully(network, full)


def refuse_others(network: Network) -> None:
    """Raise ModelError if the model has adapters already."""
    if adapted(network):
        raise ModelError("the model has adapters already; merge them before adding others")


def scales(name: str) -> bool:
    """Whether the parameter of this name multiplies, so that at 1, and not at 0, the adapter changes nothing."""
    return VECTOR in name


def _of_adapter(name: str) -> bool:
    """Whether the parameter of this name belongs to an adapter."""
    return any(mark in name for mark in MARKS)


def _train_fully(network: Network, modules: Mapping[str, nn.Module]) -> None:
    """Train the weights of some modules beside the adapters, and remember what they were."""
    chosen = {id(p) for module in modules.values() for n, p in module.named_parameters() if not _of_adapter(n)}
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
    return {n: p for n, p in every if _of_adapter(n) or n.startswith("heads.") or n in full}


def _heads(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the weights of the heads. Raises ModelError for a model without any, of which nothing would be trained."""
    found = {n: p for n, p in module.named_parameters() if n.startswith("heads.")}
    if not found:
        raise ModelError("model.trained is heads, but the method trains a model without any; set model.trained: all")
    return found


def adapted(module: nn.Module) -> bool:
    """Whether the model has adapters."""
    return any(_of_adapter(name) for name, _ in module.named_parameters())


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
    state = {n.replace(".base_layer.", "."): x for n, x in unpacked.items() if not _of_adapter(n)}
    with torch.no_grad():  # in host memory, since a device may not hold the weights of a quantised model
        for name, layer in _layers(network):
            state[f"{name}.weight"] = effective_weight(layer).cpu()
            if (bias := effective_bias(layer)) is not None:
                state[f"{name}.bias"] = bias.cpu()
    return state


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
    config: PeftConfig = network.trunk.peft_config[ADAPTER]
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
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, module in network.trunk.named_modules():
        if isinstance(module, BaseTunerLayer) and isinstance(module, nn.Module):
            yield name, module
