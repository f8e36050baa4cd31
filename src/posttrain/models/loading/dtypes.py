"""The number formats of models: those that they compute in, and those that they can be written in."""

from __future__ import annotations

import torch

from posttrain.errors import ModelError, suggestion
from posttrain.models.network import Network

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}  # to compute in
WRITTEN = DTYPES | {"float16": torch.float16}


def dtype_called(name: str, known: dict[str, torch.dtype] | None = None) -> torch.dtype:
    """Return the dtype of a name. Raises ModelError that lists the names."""
    names = DTYPES if known is None else known
    if name not in names:
        raise ModelError(f"no dtype {name!r}{suggestion(name, names)}; there are {', '.join(names)}")
    return names[name]


def cast(network: Network, dtype: torch.dtype) -> None:
    """Round the weights of the trunk, for writing. Raises ModelError if one is too large for the dtype."""
    for name, weight in network.trunk.named_parameters():
        rounded = weight.detach().to(dtype)
        if bool(rounded.isinf().any()) and not bool(weight.isinf().any()):
            raise ModelError(f"{name} holds numbers that {dtype} cannot; choose float32 or bfloat16")
        weight.data = rounded
