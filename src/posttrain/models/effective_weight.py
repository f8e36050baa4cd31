"""The weight and the bias that a layer computes with: its own, changed by its adapter."""

from __future__ import annotations

from typing import Any

from torch import Tensor

ADAPTER = "default"  # the name peft gives to an adapter


def effective_weight(layer: Any) -> Tensor:
    """W + alpha / rank B A of LoRA, l ⊙ W of (IA)³, in the dtype of W and with the gradient; W with adapters off."""
    weight: Tensor = layer.weight
    if getattr(layer, "disable_adapters", False):
        return weight
    if hasattr(layer, "ia3_l"):
        scale: Tensor = layer.ia3_l[ADAPTER]  # [out, 1] of outputs or [1, in] of inputs
        return (weight * (scale.T if layer.fan_in_fan_out else scale)).to(weight.dtype)
    if not hasattr(layer, "get_delta_weight"):
        return weight
    delta: Tensor = layer.get_delta_weight(ADAPTER)
    return weight + delta.to(weight.dtype)


def effective_bias(layer: Any) -> Tensor | None:
    """The bias, times l where (IA)³ scales outputs; None of a layer without one."""
    bias: Tensor | None = layer.bias if hasattr(layer, "bias") else None
    scales = hasattr(layer, "ia3_l") and not (layer.disable_adapters or layer.is_feedforward)
    return bias if bias is None or not scales else (bias * layer.ia3_l[ADAPTER][:, 0]).to(bias.dtype)
