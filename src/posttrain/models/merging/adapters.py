"""Arithmetic of LoRA adapters: the sum of their updates is an adapter again, of the sum of their ranks, without error.

    Σ w_m s_m B_m A_m = [w_1 s_1 B_1, ..., w_M s_M B_M] [A_1; ...; A_M]        s = alpha / rank (rsLoRA: / √rank)

Averages of A and of B apart are not the average of the updates. Rules that are not sums need whole models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posttrain.errors import ConfigError, ModelError
from posttrain.models.loading.adapter import WEIGHTS
from posttrain.models.loading.source import ADAPTER
from posttrain.models.merging.folder import Folder
from posttrain.models.merging.merge import Merge
from posttrain.models.merging.write import COPIED, PROVENANCE, new_folder, provenance

SUMS = ("linear", "task_arithmetic")
FIRST, SECOND = ("lora_A.weight", "lora_embedding_A"), ("lora_B.weight", "lora_embedding_B")
UNREAD = ("use_dora", "rank_pattern", "alpha_pattern", "lora_bias")  # keys that change what B A means


def merge_adapters(models: Sequence[Folder], merge: Merge, out: Path, *, version: str = "") -> None:
    """Write the adapter whose update is the weighted sum or mean of theirs.

    Raises ConfigError for another rule, ModelError for adapters of different models, layers or kinds.
    """
    merge.check(len(models), base=True)
    if merge.rule not in SUMS or merge.blocks:
        raise ConfigError(
            f"adapters are merged by {' or '.join(SUMS)} with one weight each; for {merge.rule} write each as a whole "
            "model first: posttrain export ADAPTER FOLDER"
        )
    configs = [_config(m) for m in models]
    _check_alike(models, configs)
    weights = _weights_of(models, merge, configs[0])
    scales = [w * scale(c) for w, c in zip(weights, configs, strict=True)]
    merged = concatenated([_weights(m) for m in models], scales, weights)
    rank = sum(c["r"] for c in configs)
    from safetensors.torch import save_file

    with new_folder(out) as partial:
        for file in models[0].path.iterdir():
            if file.suffix in COPIED and file.name != PROVENANCE:
                (partial / file.name).write_bytes(file.read_bytes())
        save_file(merged, partial / WEIGHTS, metadata={"format": "pt"})
        changed = configs[0] | {"r": rank, "lora_alpha": rank, "use_rslora": False}
        said = provenance(models, merge, None) | {"posttrain": version}
        for name, content in ((ADAPTER, changed), (PROVENANCE, said)):
            (partial / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def scale(config: Mapping[str, Any]) -> float:
    """What multiplies B A: alpha / rank, with rsLoRA alpha / √rank."""
    rank = int(config["r"])
    return float(config["lora_alpha"]) / (rank**0.5 if config.get("use_rslora") else rank)


def concatenated(
    adapters: Sequence[Mapping[str, Tensor]], scales: Sequence[float], weights: Sequence[float]
) -> dict[str, Tensor]:
    """The tensors of the sum: A under A, B beside B with the scales, and weighted sums of what is trained in full."""
    merged: dict[str, Tensor] = {}
    for name, first in adapters[0].items():
        tensors = [a[name].to(torch.float32) for a in adapters]
        if name.endswith(FIRST):
            found = torch.cat(tensors, dim=0)
        elif name.endswith(SECOND):
            found = torch.cat([s * t for s, t in zip(scales, tensors, strict=True)], dim=1)
        else:
            found = sum((w * t for w, t in zip(weights, tensors, strict=True)), torch.zeros_like(tensors[0]))
        merged[name] = found.to(first.dtype).contiguous()
    return merged


def _weights_of(models: Sequence[Folder], merge: Merge, config: Mapping[str, Any]) -> list[float]:
    """The weight of each update. What is trained in full beside the adapters can only be averaged."""
    given = merge.weights or [1.0] * len(models)
    total = sum(given) if merge.rule == "linear" else 1.0
    if total == 0:
        raise ConfigError("merge linear: the weights add up to 0; change one")
    if config.get("modules_to_save") and (merge.rule != "linear" or merge.share != 1):
        raise ModelError(
            f"{models[0].name} holds whole weights of {', '.join(config['modules_to_save'])}, which only linear "
            "averages; write each as a whole model first: posttrain export ADAPTER FOLDER"
        )
    return [merge.share * w / total for w in given]


def _config(model: Folder) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((model.path / ADAPTER).read_text(encoding="utf-8"))
    if (kind := config.get("peft_type", "LORA")) != "LORA":
        raise ModelError(
            f"{model.name} is an adapter of {kind}, and sums are of LoRA; write it as a whole model: "
            f"posttrain export {model.name} FOLDER"
        )
    if unread := [k for k in UNREAD if config.get(k)]:
        raise ModelError(
            f"{model.name}: {unread[0]} is set, and such an adapter has no sum of this form; write it as a whole "
            f"model: posttrain export {model.name} FOLDER"
        )
    return config


def _check_alike(models: Sequence[Folder], configs: Sequence[Mapping[str, Any]]) -> None:
    for model, config in zip(models[1:], configs[1:], strict=True):
        one, other = (c["base_model_name_or_path"] for c in (configs[0], config))
        if one != other:
            raise ModelError(
                f"{models[0].name} is an adapter of {one}, {model.name} of {other}; give adapters of one model"
            )
        if differing := models[0].shapes.keys() ^ model.shapes.keys():
            raise ModelError(
                f"{models[0].name} and {model.name} adapt different layers ({min(differing)}); write each as a whole "
                "model first: posttrain export ADAPTER FOLDER"
            )


def _weights(model: Folder) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    weights: dict[str, Tensor] = load_file(model.path / WEIGHTS)
    return weights
