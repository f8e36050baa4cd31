"""The files of heads beside a model: one for each head, such as value_head.safetensors."""

from __future__ import annotations

from pathlib import Path

from posttrain.models.network import Network
from posttrain.models.outputs.output import heads


def head_file(name: str) -> str:
    """Return the name of the file of a head."""
    return f"{name}_head.safetensors"


def load_heads(network: Network, folder: Path) -> None:
    """Load the heads that `save` wrote, if there are any."""
    from safetensors.torch import load_file

    for name in heads():
        file = folder / head_file(name)
        if file.is_file():
            weights = load_file(file)
            network.add_head(name, size=len(weights["weight"]), mix=weights.get("mix", ()))
            network.heads[name].load_state_dict(weights)
