"""The weight that a layer multiplies by: its own, plus the product of its LoRA adapter."""

from __future__ import annotations

from typing import Any

from torch import Tensor

ADAPTER = "default"  # the name peft gives to an adapter


def effective_weight(layer: Any) -> Tensor:
    """W + alpha / rank B A in the dtype of W, with the gradient of both adapters; W where no adapter is on."""
    weight: Tensor = layer.weight
    if not hasattr(layer, "get_delta_weight") or layer.disable_adapters:
        return weight
    delta: Tensor = layer.get_delta_weight(ADAPTER)
    return weight + delta.to(weight.dtype)
