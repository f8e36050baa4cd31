"""The size of a model, from its configuration alone: no weight is read."""

from __future__ import annotations

from typing import Any

import torch

from posttrain.models.loading.source import source_of
from posttrain.models.loading.tiny import tiny_model


def shape_of(spec: str, revision: str | None = None) -> dict[str, int]:
    """Return `parameters`, `layers`, `width` and `kv_width` of a model. Raises ModelError if it is not there."""
    trunk = tiny_model()[0].trunk if spec == "tiny" else _bare(spec, revision)
    config = trunk.config.get_text_config()
    heads = config.num_attention_heads
    head = getattr(config, "head_dim", None) or config.hidden_size // heads
    return {
        "parameters": sum(p.numel() for p in trunk.parameters()),
        "layers": config.num_hidden_layers,
        "width": config.hidden_size,
        "kv_width": head * (getattr(config, "num_key_value_heads", None) or heads),
    }


def _bare(spec: str, revision: str | None) -> Any:
    """A model without weights, on the device meta."""
    import transformers

    source = source_of(spec, revision)
    try:
        config = transformers.AutoConfig.from_pretrained(source.place, **source.options)
        with torch.device("meta"):
            return transformers.AutoModelForCausalLM.from_config(config)
    except (OSError, ValueError, KeyError) as error:
        raise source.unavailable("configuration", error) from None
