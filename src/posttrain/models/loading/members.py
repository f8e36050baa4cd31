"""The adapters of members on disk: a folder `members/1`, `members/2`, ... each, in the format of peft."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from posttrain.errors import ModelError
from posttrain.models.loading.adapter import WEIGHTS
from posttrain.models.loading.source import ADAPTER
from posttrain.models.member_lora import adapters, add_members
from posttrain.models.network import Network

FOLDER, PREFIX = "members", "base_model.model."


def save_members(network: Network, folder: Path) -> None:
    """Write an adapter for each member, which peft loads on the model in `folder`."""
    from peft import LoraConfig
    from safetensors.torch import save_file

    members = network.lora_members
    assert members is not None
    layers = dict(adapters(network))
    config = LoraConfig(
        r=members.rank,
        lora_alpha=members.alpha,
        use_rslora=members.rslora,
        target_modules=sorted({name.rpartition(".")[2] for name in layers}),
        layers_to_transform=list(range(members.shared, len(network.trunk.base_model.layers))),
        base_model_name_or_path=network.trunk.name_or_path,
        task_type="CAUSAL_LM",
    )
    for m in range(members.count):
        own = folder / FOLDER / str(m + 1)
        own.mkdir(parents=True, exist_ok=True)
        weights = {f"{PREFIX}{n}.lora_A.weight": x.lora_A[m] for n, x in layers.items()}
        weights |= {f"{PREFIX}{n}.lora_B.weight": x.lora_B[m] for n, x in layers.items()}
        save_file({n: x.detach().contiguous() for n, x in weights.items()}, own / WEIGHTS, metadata={"format": "pt"})
        config.save_pretrained(own)


def load_members(network: Network, folder: Path) -> None:
    """Load the adapters that `save_members` wrote, if there are any. Raises ModelError for members that do not fit."""
    from safetensors.torch import load_file

    found = sorted((folder / FOLDER).glob(f"*/{WEIGHTS}"), key=lambda file: int(file.parent.name))
    if not found:
        return
    config = json.loads((found[0].parent / ADAPTER).read_text(encoding="utf-8"))
    rank, alpha, own = config["r"], config["lora_alpha"], config["layers_to_transform"]
    targets = tuple(config["target_modules"])
    add_members(network, len(found), rank, alpha, len(own), targets, rslora=config["use_rslora"])
    files = [load_file(file) for file in found]
    with torch.no_grad():
        for name, layer in adapters(network):
            for side in ("lora_A", "lora_B"):
                key = f"{PREFIX}{name}.{side}.weight"
                if not all(key in file for file in files):
                    raise ModelError(f"{folder / FOLDER}: a member lacks {key}; save the ensemble again")
                getattr(layer, side).copy_(torch.stack([file[key] for file in files]))
