"""Which layers get LoRA adapters: the names that a run file gives, checked against those of the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn

from posttrain.errors import ModelError, suggestion
from posttrain.models.network import Network

ALL = "all-linear"


def resolve_targets(network: Network, targets: str | Sequence[str]) -> str | list[str]:
    """Return the names for peft. `all-linear` (all but the last layer) may stand beside others, such as lm_head.

    Raises ModelError, with the layers that there are, for a name that no linear layer or embedding has.
    """
    names = [targets] if isinstance(targets, str) else list(targets)
    if names == [ALL]:
        return ALL
    layers = {name: layer for name, layer in network.trunk.named_modules() if _takes_adapters(layer)}
    known = sorted({name.rpartition(".")[2] for name in layers} - {""})
    for name in names:
        if name != ALL and not _named(name, layers):
            raise ModelError(
                f"LoRA targets: no layer of {type(network.trunk).__name__} is called {name!r}"
                f"{suggestion(name, known)}; there are {', '.join(known)}, or {ALL}"
            )
    last = network.trunk.get_output_embeddings()
    linear = [n for n, layer in layers.items() if not isinstance(layer, nn.Embedding) and layer is not last]
    return [n for name in names for n in (linear if name == ALL else [name])]


def named_modules(network: Network, names: Iterable[str]) -> dict[str, nn.Module]:
    """Return the modules of the trunk with these names, whole or last parts of them. Raises ModelError for others."""
    modules = {n: m for n, m in network.trunk.named_modules() if n and next(m.parameters(), None) is not None}
    found: dict[str, nn.Module] = {}
    for name in names:
        matching = _named(name, modules)
        if not matching:
            known = sorted({n.rpartition(".")[2] for n in modules if not n.rpartition(".")[2].isdigit()})
            raise ModelError(
                f"lora.modules_to_save: no module of {type(network.trunk).__name__} is called {name!r}"
                f"{suggestion(name, known)}; there are {', '.join(known)}"
            )
        found |= {n: modules[n] for n in matching}
    return found


def _named(name: str, modules: Iterable[str]) -> list[str]:
    """Return the modules whose name is this one or ends in it, by peft's rule."""
    return [n for n in modules if n == name or n.endswith(f".{name}")]


def _takes_adapters(layer: nn.Module) -> bool:
    from transformers.pytorch_utils import Conv1D

    return isinstance(layer, nn.Linear | nn.Embedding | Conv1D)
