"""The hand-over of weights: a folder in shared memory, and a seal that says which version it is and what it holds.

The trainer writes the folder of a model and seals it. The engine opens it, and refuses another version, a tensor that
is missing, one that nobody sealed, and one whose content has changed since.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

SEAL = "seal.json"
_MODULUS = 2**63


class HandoverError(Exception):
    """Weights that are not those that were to be handed over."""


def fingerprint(tensor: Tensor) -> int:
    """The sum of the bytes of a tensor, read as whole numbers of eight: it changes with any one of them."""
    flat = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
    whole = len(flat) // 8 * 8
    total = int(flat[:whole].view(torch.int64).sum()) if whole else 0
    return (total + int.from_bytes(bytes(flat[whole:].tolist()), "little")) % _MODULUS


def seal(folder: Path, version: int) -> int:
    """Say which version the weights of a folder are, once they are all written. Returns their bytes."""
    sums, size = {}, 0
    for name, tensor in _tensors(folder):
        sums[name] = fingerprint(tensor)
        size += tensor.nbytes
    (folder / SEAL).write_text(json.dumps({"version": version, "tensors": sums}), encoding="utf-8")
    return size


def opened(folder: Path, version: int) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights of a sealed folder by name. Raises HandoverError unless they are those of this version."""
    try:
        said: dict[str, Any] = json.loads((folder / SEAL).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HandoverError(f"{folder} is not sealed: its weights are not all written") from None
    if said["version"] != version:
        raise HandoverError(f"{folder} holds version {said['version']} of the weights, and {version} was to be loaded")
    missing = dict(said["tensors"])
    for name, tensor in _tensors(folder):
        if missing.pop(name, None) != fingerprint(tensor):
            raise HandoverError(f"{name} in {folder} is not what was sealed")
        yield name, tensor
    if missing:
        raise HandoverError(f"{', '.join(sorted(missing)[:3])} of {len(missing)} tensors missing in {folder}")


def _tensors(folder: Path) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a model's folder, in the order of its files; heads that only the trainer reads are none of it."""
    for file in sorted(folder.glob("model*.safetensors")):
        with safe_open(file, "pt") as stored:
            for name in sorted(stored.keys()):
                yield name, stored.get_tensor(name)
