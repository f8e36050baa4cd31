"""How several models become one: a rule, the weights of the models, and how far the result leaves the base.

    θ = θ_0 + η rule(θ_1 - θ_0, ..., θ_M - θ_0; w)        θ = rule(θ_1, ..., θ_M; w) without a base θ_0

The weights may differ from layer to layer (Heterogeneous Model Averaging, Lin et al., 2023): the layers are divided
into blocks of equal depth, each with weights of its own. What lies outside the layers (embeddings, last norm, last
layer) has the mean of all blocks.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from posttrain.catalogue.signature import Signature
from posttrain.core.folder import file_names
from posttrain.errors import ConfigError, suggestion
from posttrain.models.merging import rules
from posttrain.seeds import seed_for

LAYER = re.compile(r"\.(\d+)\.")  # the number of a layer in the name of a tensor: model.layers.7.mlp.up_proj.weight
NEED_A_BASE = ("task_arithmetic", "ties", "dare", "dare_ties")


def names() -> list[str]:
    """Names of all rules."""
    return list(file_names(rules.__path__))


@functools.cache
def rule_called(name: str) -> Callable[..., Tensor]:
    """The rule of a name. Raises ConfigError, with a suggestion, for one that has no file."""
    if name not in names():
        raise ConfigError(f"no rule {name!r} of merging{suggestion(name, names())}; there are {', '.join(names())}")
    found: Callable[..., Tensor] = getattr(importlib.import_module(f"{rules.__name__}.{name}"), name)
    return found


@dataclass(frozen=True)
class Merge:
    """A rule with its weights and settings.

    `weights`: one for each model (none: all alike). `blocks`: in their place weights for each block of layers, the
    first layers first. `share`: η, 0 the base to 1 the merged model. `settings`: those of the rule.
    """

    rule: str = "linear"
    weights: tuple[float, ...] = ()
    blocks: tuple[tuple[float, ...], ...] = ()
    share: float = 1.0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def check(self, models: int, *, base: bool) -> None:
        """Raise ConfigError for what does not fit together or to the number of models."""
        signature = Signature(rule_called(self.rule), own=("vectors", "weights"))
        signature.check(self.settings, f"merge {self.rule}")
        if not 0 < self.settings.get("density", 1.0) <= 1 or not 0 <= self.settings.get("decay", 0.0) <= 1:
            raise ConfigError(f"merge {self.rule}: density lies above 0 up to 1, and decay between 0 and 1")
        if self.weights and self.blocks:
            raise ConfigError("merge: weights of all layers and weights of blocks are both given; remove one of them")
        for weights in (*([self.weights] if self.weights else []), *self.blocks):
            if len(weights) != models:
                raise ConfigError(f"merge: {models} models have {len(weights)} weights; give one weight for each model")
        if not base and self.rule in NEED_A_BASE:
            raise ConfigError(f"merge {self.rule} adds differences from a base model, and none is given; give a base")
        if not base and self.share != 1:
            raise ConfigError("merge: a share is the way from the base model to the merged one; give a base too")

    def tensor(self, name: str, models: Sequence[Tensor], base: Tensor | None, layers: int) -> Tensor:
        """Merge the tensors of one name, of models with this number of layers, in the dtype of the first.

        It is computed in float64 where a tensor is that or float32, else in float32, as everywhere on MPS.
        """
        first = models[0]
        if not first.is_floating_point():
            return _only_one(name, [*models, *([] if base is None else [base])])
        wide = torch.float32 if first.dtype.itemsize < 4 or first.device.type == "mps" else torch.float64
        origin = 0 if base is None else base.to(wide)
        vectors = [m.to(wide) - origin for m in models]
        rule = rule_called(self.rule)
        settings = dict(self.settings)
        if "seed" in inspect.signature(rule).parameters:
            settings["seed"] = seed_for(settings.get("seed", 0), name)
        merged = rule(vectors, self._weights_of(name, len(models), layers), **settings)
        return (origin + self.share * merged).to(first.dtype)

    def _weights_of(self, name: str, models: int, layers: int) -> Sequence[float]:
        """The weights of the models in one tensor."""
        if not self.blocks:
            return self.weights or [1.0] * models
        layer = layer_of(name)
        if layer is None:
            return [sum(w) / len(self.blocks) for w in zip(*self.blocks, strict=True)]
        return self.blocks[layer * len(self.blocks) // layers]


def layer_of(name: str) -> int | None:
    """The number of the layer that a tensor belongs to; None outside the layers."""
    found = LAYER.search(name)
    return int(found[1]) if found else None


def depth(tensors: Iterable[str]) -> int:
    """The number of layers of a model with tensors of these names."""
    return 1 + max((layer for name in tensors if (layer := layer_of(name)) is not None), default=0)


def _only_one(name: str, tensors: Sequence[Tensor]) -> Tensor:
    """The tensor of whole numbers that all models share."""
    if not all(torch.equal(tensors[0], other) for other in tensors[1:]):
        raise ConfigError(f"merge: {name} holds {tensors[0].dtype}, which has no mean, and the models differ in it")
    return tensors[0]
