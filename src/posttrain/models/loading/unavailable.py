"""The error for a model, tokenizer or head that transformers cannot read."""

from __future__ import annotations

from posttrain.errors import ModelError

UNREADABLE = (OSError, ValueError, KeyError)  # what transformers raises for files that it cannot read


def unavailable(spec: str, what: str, error: Exception) -> ModelError:
    """Return an error in one line, with the reason that transformers gives."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ModelError(f"{spec}: no {what} that can be loaded from there: {reason}")
