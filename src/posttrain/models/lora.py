"""LoRA: Low-Rank Adaptation of Large Language Models (Hu et al., 2021)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from posttrain.errors import ModelError
from posttrain.models.adapters import insert, refuse_others
from posttrain.models.lora_targets import named_modules, resolve_targets
from posttrain.models.network import Network


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
    """Freeze the trunk and add trainable adapters to its layers: W + alpha / rank B A. Heads stay trainable.

    `targets` are names of layers, or `all-linear` (all but the last). `modules_to_save` are trained in full beside
    them. `rslora` scales adapters by alpha / sqrt(rank) (Kalajdzievski, 2023). A new adapter does not change the
    outputs. Its dtype is float32 by default (float64 for a float64 trunk), so it needs no master weights. Raises
    ModelError if the model has adapters already or no layer with such a name.
    """
    from peft import LoraConfig

    refuse_others(network)
    full = named_modules(network, modules_to_save)
    wanted = resolve_targets(network, targets, full)
    config = LoraConfig(
        r=rank, lora_alpha=alpha, target_modules=wanted, lora_dropout=0.0, use_rslora=rslora, task_type="CAUSAL_LM"
    )
    try:
        insert(network, config, full, seed, dtype)
    except ValueError as error:
        raise ModelError(f"LoRA targets {targets!r}: {str(error).splitlines()[0]}") from error
