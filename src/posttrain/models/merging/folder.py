"""A saved model as tensors by name, read one at a time: two large models are merged in less memory than one takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from posttrain.errors import ModelError
from posttrain.models.loading.adapter import WEIGHTS as ADAPTER_WEIGHTS
from posttrain.models.loading.adapter import adapter_in
from posttrain.models.loading.source import FILES, UNREADABLE, Source, source_of

ONE_FILE = "model.safetensors"
INDEX = "model.safetensors.index.json"
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")  # any of which holds the vocabulary


@dataclass(frozen=True)
class Folder:
    """A model that was named, and the folder of its files. A tensor is named by its file's kind and its own name."""

    name: str
    path: Path

    @cached_property
    def adapter(self) -> bool:
        """Whether it is a LoRA adapter without the weights of its base model."""
        return adapter_in(self.path) is not None

    @cached_property
    def config(self) -> dict[str, Any]:
        """The config of the model."""
        try:
            return cast(dict[str, Any], json.loads((self.path / "config.json").read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise ModelError(f"{self.name}: its config.json cannot be read ({error})") from error

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The files of weights: those of the model, the first first, and of heads beside it."""
        if self.adapter:
            return (ADAPTER_WEIGHTS,)
        heads = sorted(f.name for f in self.path.glob("*_head.safetensors"))
        if (self.path / INDEX).is_file():
            placed = json.loads((self.path / INDEX).read_text(encoding="utf-8"))["weight_map"]
            return (*sorted(set(placed.values())), *heads)
        if not (self.path / ONE_FILE).is_file():
            raise ModelError(
                f"{self.name}: no {ONE_FILE} in {self.path}; posttrain export {self.name} FOLDER writes it"
            )
        return (ONE_FILE, *heads)

    @cached_property
    def tensors(self) -> dict[str, dict[str, Tensor]]:
        """File -> name -> a tensor of the same shape and dtype without memory."""
        from safetensors import safe_open

        found: dict[str, dict[str, Tensor]] = {}
        for file in self.files:
            try:
                with safe_open(self.path / file, "pt") as opened:
                    names = opened.keys()
                    found[file] = {n: _without_memory(opened.get_slice(n)) for n in names}
            except UNREADABLE as error:
                raise ModelError(f"{self.name}: {file} cannot be read ({error})") from error
        return found

    @cached_property
    def where(self) -> dict[str, str]:
        """The file of each tensor, by `key`."""
        return {key(file, name): file for file, names in self.tensors.items() for name in names}

    @cached_property
    def shapes(self) -> dict[str, Tensor]:
        """Every tensor without memory, by `key`."""
        return {key(file, name): x for file, names in self.tensors.items() for name, x in names.items()}

    @property
    def vocabulary(self) -> Mapping[str, int] | bytes | None:
        """The tokens and their ids, or the file that holds them; None for a model without a tokenizer."""
        for name in TOKENIZERS:
            file = self.path / name
            if file.is_file():
                return _vocabulary(file.read_bytes()) if name == "tokenizer.json" else file.read_bytes()
        return None

    def read(self, name: str) -> Tensor:
        """Read a tensor, by its `key`. The file is closed again, or its pages would stay in memory."""
        from safetensors import safe_open

        file = self.where[name]
        with safe_open(self.path / file, "pt") as opened:
            tensor: Tensor = opened.get_tensor(name.removeprefix(key(file, "")))
        return tensor


def folder_of(spec: str) -> Folder:
    """Find the files of a model: a folder, a run, a .gguf file or a model of the hub. Raises ModelError."""
    source = source_of(spec)
    if source.name == "tiny":
        raise ModelError("tiny is made in memory; save it first: posttrain export tiny FOLDER")
    return Folder(spec, source.folder if source.folder.is_dir() else _downloaded(source))


def key(file: str, name: str) -> str:
    """The name of a tensor among those of all files: its own, or that of its head's file and its own."""
    return f"{file.removesuffix('.safetensors')}/{name}" if file.endswith("_head.safetensors") else name


def _downloaded(source: Source) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(
                source.place, revision=source.revision, local_files_only=source.cached, allow_patterns=list(FILES)
            )
        )
    except UNREADABLE as error:
        raise source.unavailable("weights", error) from error


def _without_memory(part: Any) -> Tensor:
    return torch.empty(part.get_shape(), dtype=_DTYPES[part.get_dtype()], device="meta")


def _vocabulary(content: bytes) -> dict[str, int]:
    """Tokens and ids of a tokenizer.json, the added ones included."""
    read = json.loads(content)
    vocab = read["model"].get("vocab", {})
    known = dict(vocab) if isinstance(vocab, dict) else {entry[0]: i for i, entry in enumerate(vocab)}
    return known | {token["content"]: token["id"] for token in read.get("added_tokens", ())}


_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "BOOL": torch.bool,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
}  # fmt: skip
