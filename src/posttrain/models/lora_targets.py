"""Which layers get adapters: the names that a run file gives, checked against those of the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from torch import nn

from posttrain.errors import ModelError, suggestion
from posttrain.models.network import Network

ALL = "all-linear"
NO_MODULES: Mapping[str, nn.Module] = MappingProxyType({})


def resolve_targets(
    network: Network, targets: str | Sequence[str], full: Mapping[str, nn.Module] = NO_MODULES
) -> str | list[str]:
    """Return the names for peft. `all-linear` (all but the last layer) may stand beside others, such as lm_head.

    `full` are modules that are trained in full: `all-linear` leaves them out. Raises ModelError, with the layers that
    there are, for a name that no linear layer or embedding has, and for a layer that is trained in full.
    """
    names = [targets] if isinstance(targets, str) else list(targets)
    if names == [ALL] and not full:
        return ALL
    layers = {name: layer for name, layer in network.trunk.named_modules() if _takes_adapters(layer)}
    known = sorted({name.rpartition(".")[2] for name in layers} - {""})
    for name in names:
        if name != ALL and not _named(name, layers):
            raise ModelError(
                f"LoRA targets: no layer of {type(network.trunk).__name__} is called {name!r}"
                f"{suggestion(name, known)}; there are {', '.join(known)}, or {ALL}"
            )
        if name != ALL:
            _refuse_both(name, [layers[n] for n in _named(name, layers)], full)
    last, taken = network.trunk.get_output_embeddings(), _parameters(full)
    linear = [
        n
        for n, layer in layers.items()
        if not isinstance(layer, nn.Embedding) and layer is not last and id(layer.weight) not in taken
    ]
    return [n for name in names for n in (linear if name == ALL else [name])]


def named_modules(network: Network, names: Iterable[str]) -> dict[str, nn.Module]:
    """Return the modules of the trunk with these names, whole or last parts of them. Raises ModelError for others."""
    modules = {n: m for n, m in network.trunk.named_modules() if n and next(m.parameters(), None) is not None}
    return _found(network, names, modules, "lora.modules_to_save")


def named_layers(network: Network, names: Iterable[str], key: str) -> dict[str, nn.Module]:
    """Return the linear layers and embeddings with these names, packed ones too. Raises ModelError for others."""
    layers = {name: layer for name, layer in network.trunk.named_modules() if _takes_adapters(layer)}
    return _found(network, names, layers, key)


def _found(network: Network, names: Iterable[str], modules: Mapping[str, nn.Module], key: str) -> dict[str, nn.Module]:
    """Return those of the modules that have these names. Raises ModelError that begins with the key of the run file."""
    found: dict[str, nn.Module] = {}
    for name in names:
        matching = _named(name, modules)
        if not matching:
            known = sorted({n.rpartition(".")[2] for n in modules if not n.rpartition(".")[2].isdigit()})
            raise ModelError(
                f"{key}: no module of {type(network.trunk).__name__} is called {name!r}"
                f"{suggestion(name, known)}; there are {', '.join(known)}"
            )
        found |= {n: modules[n] for n in matching}
    return found


def _refuse_both(name: str, layers: Iterable[nn.Module], full: Mapping[str, nn.Module]) -> None:
    """Raise ModelError if a matrix would get an adapter and be trained in full: no file format of adapters has that."""
    if _parameters(full) & {id(layer.weight) for layer in layers}:
        raise ModelError(
            f"LoRA: the matrix of {name} is a target and in modules_to_save ({', '.join(full)}), or is one matrix with "
            "what is; remove it from one of the two lists"
        )


def _parameters(modules: Mapping[str, nn.Module]) -> set[int]:
    return {id(p) for module in modules.values() for p in module.parameters()}


def _named(name: str, modules: Iterable[str]) -> list[str]:
    """Return the modules whose name is this one or ends in it, by peft's rule."""
    return [n for n in modules if n == name or n.endswith(f".{name}")]


def _takes_adapters(layer: nn.Module) -> bool:
    from transformers.pytorch_utils import Conv1D

    return isinstance(layer, nn.Linear | nn.Embedding | Conv1D)
