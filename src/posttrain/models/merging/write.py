"""Merge saved models into a folder that plain transformers opens, tensor by tensor.

Everything but the weights (config, tokenizer, chat template, generation config, code of the heads) is that of the first
model. `merge.json` says what was merged, and how.
"""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posttrain.errors import ModelError, StorageError
from posttrain.machine.disk import save_made, xxh3
from posttrain.models.merging.fit import check_fit
from posttrain.models.merging.folder import Folder, key
from posttrain.models.merging.merge import Merge, depth
from posttrain.runs import durable
from posttrain.runs.manifest import MANIFEST

PROVENANCE = "merge.json"
COPIED = (".json", ".jinja", ".model", ".txt")
LEFT_OUT = (PROVENANCE, MANIFEST)  # they speak of one model
TEMPLATES = "additional_chat_templates"  # a folder where transformers keeps those beside the first


def merge_folders(
    models: Sequence[Folder],
    merge: Merge,
    out: Path,
    *,
    base: Folder | None = None,
    dtype: torch.dtype | None = None,
    version: str = "",
) -> None:
    """Write the merged model, in the dtypes of the first one unless given another.

    Memory: some copies of the largest tensor. Raises ModelError for models that do not fit together, ConfigError for a
    merge that does not fit them, StorageError for a folder that holds files.
    """
    everyone = [*models, *([] if base is None else [base])]
    merge.check(len(models), base=base is not None)
    check_fit(everyone)
    with new_folder(out) as partial:
        _copy_other_files(models[0], partial, dtype)
        for file, like in models[0].tensors.items():
            made = functools.partial(_tensor, file, models, merge, base, dtype)
            save_made(partial / file, {n: _cast(x, dtype) for n, x in like.items()}, made, {"format": "pt"})
        text = json.dumps(provenance(models, merge, base) | {"posttrain": version}, indent=1, ensure_ascii=False)
        (partial / PROVENANCE).write_text(text + "\n", encoding="utf-8")


def _tensor(
    file: str, models: Sequence[Folder], merge: Merge, base: Folder | None, dtype: torch.dtype | None, name: str
) -> Tensor:
    """Read a tensor of all models, and merge it."""
    at = key(file, name)
    read, origin = [m.read(at) for m in models], None if base is None else base.read(at)
    return _cast(merge.tensor(at, read, origin, depth(models[0].shapes)), dtype)


def _cast(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    return tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder that is there once all of it is written. Raises StorageError for one that holds files."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StorageError(f"{out} exists and is not empty; give a new folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    with durable.whole_folder(out) as partial:
        yield partial


def provenance(models: Sequence[Folder], merge: Merge, base: Folder | None) -> dict[str, Any]:
    """What was merged: the rule with its weights, and the place and the hashes of every model."""
    return {
        "merge": {**asdict(merge), "settings": dict(merge.settings)},
        "models": [_identity(m) for m in models],
        "base": None if base is None else _identity(base),
    }


def _identity(model: Folder) -> Mapping[str, Any]:
    return {
        "name": model.name,
        "folder": str(model.path),
        "xxh3": {file: xxh3(model.path / file) for file in model.files},
    }


def _copy_other_files(model: Folder, out: Path, dtype: torch.dtype | None) -> None:
    """Copy what lies beside the weights of a model, and name another dtype in its config."""
    for file in sorted(model.path.iterdir()):
        if file.suffix in COPIED and file.name not in LEFT_OUT:
            shutil.copyfile(file, out / file.name)
    if (model.path / TEMPLATES).is_dir():
        shutil.copytree(model.path / TEMPLATES, out / TEMPLATES)
    if dtype is None:
        return
    config = dict(model.config)
    if "dtype" not in config and "torch_dtype" not in config:
        raise ModelError(f"{model.name}: its config names no dtype that could be changed; leave --dtype out")
    named = "dtype" if "dtype" in config else "torch_dtype"
    config[named] = str(dtype).removeprefix("torch.")
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
