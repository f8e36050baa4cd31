"""Whether every parameter of a model got its weights: vLLM only warns of a layer that keeps its old ones."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn


def places(model: nn.Module) -> dict[str, int]:
    """Where each parameter lies in memory: tied ones in the same place."""
    return {name: p.data_ptr() for name, p in model.named_parameters(remove_duplicate=False)}


def without(places: dict[str, int], loaded: Collection[str]) -> list[str]:
    """The parameters that got no weights, and are not tied to one that did."""
    filled = {places[name] for name in loaded if name in places}
    return sorted(name for name, place in places.items() if place not in filled)


def tied(model: nn.Module, places: dict[str, int], loaded: Collection[str]) -> list[nn.Module]:
    """The layers whose parameters got their weights through another layer that they are tied to."""
    own = set(places) - set(loaded) - set(without(places, loaded))
    return [layer for name, layer in model.named_modules() if any(f"{name}.{p}" in own for p in layer._parameters)]
