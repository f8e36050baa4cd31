"""Models that were saved with quantised weights (bitsandbytes, GPTQ, AWQ, ...): they are not trained on, and say so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from posttrain.errors import ModelError


@contextmanager
def named_as_quantised(name: str, config: Any) -> Iterator[None]:
    """Turn what transformers raises inside the context into a ModelError, if the config says quantised weights."""
    try:
        yield
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        if getattr(config, "quantization_config", None) is None:
            raise
        raise _refused(name, f" ({str(error).strip().splitlines()[0]})" if str(error).strip() else "") from error


def refuse_quantised(name: str, trunk: Any) -> None:
    """Raise ModelError for a model that transformers keeps quantised. Those that it unpacks while loading pass."""
    if getattr(trunk, "is_quantized", False):
        raise _refused(name, "")


def _refused(name: str, reason: str) -> ModelError:
    return ModelError(
        f"{name}: its weights are quantised already, which adapters cannot be merged into{reason}; use the "
        "model that it was made from, and for weights of 4 bits set model.quantize: nf4 with model.lora"
    )
