"""Adapters of peft as models: the base model that they name, with the adapter merged into it."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posttrain.errors import ModelError
from posttrain.models.loading.quiet import quiet
from posttrain.models.loading.source import ADAPTER, UNREADABLE, Source, source_of
from posttrain.models.tying import is_tied, tie_if_equal, untie

WEIGHTS = "adapter_model.safetensors"


@dataclass(frozen=True)
class Adapter:
    """A folder with an adapter, and the name or folder of its base model."""

    folder: Path
    base: str

    @property
    def has_tokenizer(self) -> bool:
        """Whether a tokenizer is saved beside the adapter; else that of the base model counts."""
        return (self.folder / "tokenizer_config.json").is_file()

    def source(self) -> Source:
        """Find the base model. Raises ModelError that names the adapter."""
        try:
            return source_of(self.base)
        except ModelError as error:
            raise ModelError(f"{self.folder}: its base model: {error}") from error

    def merged_into(self, trunk: Any) -> Any:
        """Return the trunk with the adapter merged into its weights. Raises ModelError if it does not fit."""
        from peft import PeftModel
        from safetensors import safe_open

        try:
            with safe_open(self.folder / WEIGHTS, "pt") as file:
                rows = {n: file.get_slice(n).get_shape()[0] for n in file.keys()}  # noqa: SIM118 -- no mapping
            whole = [count for name, count in rows.items() if name.endswith(("embed_tokens.weight", "lm_head.weight"))]
            with warnings.catch_warnings(), quiet():
                warnings.simplefilter("ignore")
                if whole and whole[0] != trunk.get_input_embeddings().num_embeddings:
                    trunk.resize_token_embeddings(whole[0], mean_resizing=False)
                if tied := is_tied(trunk):
                    untie(trunk)  # what is merged into one end is not meant for the other
                merged = PeftModel.from_pretrained(trunk, str(self.folder)).merge_and_unload(safe_merge=True)
                if tied:
                    tie_if_equal(merged)
                return merged
        except (*UNREADABLE, RuntimeError, TypeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(f"{self.folder}: the adapter does not fit its base model {self.base}: {reason}") from error


def adapter_in(folder: Path) -> Adapter | None:
    """Return the adapter in a folder that holds no whole model. Raises ModelError if base or weights are missing."""
    file = folder / ADAPTER
    if not file.is_file() or (folder / "config.json").is_file():
        return None
    try:
        base = json.loads(file.read_text(encoding="utf-8")).get("base_model_name_or_path")
    except (ValueError, AttributeError) as error:
        raise ModelError(f"{file} cannot be read: {error}") from error
    if not base:
        raise ModelError(f"{file} names no base model; write it there as base_model_name_or_path")
    if not (folder / WEIGHTS).is_file():
        raise ModelError(f"{folder} holds no {WEIGHTS}; save the adapter as safetensors")
    return Adapter(folder, base)
