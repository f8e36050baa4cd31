"""Which models can be merged: those of one architecture, one vocabulary and one way to hold the last layer."""

from __future__ import annotations

from collections.abc import Sequence

from posttrain.errors import ModelError
from posttrain.models.merging.folder import Folder

TIED = "tie_word_embeddings"


def check_fit(models: Sequence[Folder]) -> None:
    """Raise ModelError, with both sides and a remedy, unless all models are like the first."""
    if adapters := [m.name for m in models if m.adapter]:
        raise ModelError(
            f"{adapters[0]} is an adapter and is merged with whole models; write it as one: posttrain export "
            f"{adapters[0]} FOLDER"
        )
    for other in models[1:]:
        _check_config(models[0], other)
        _check_vocabulary(models[0], other)
        _check_tensors(models[0], other)


def _check_config(one: Folder, other: Folder) -> None:
    a, b = (m.config.get("architectures") or m.config.get("model_type") for m in (one, other))
    if a != b:
        raise ModelError(f"{one.name} is a {a} and {other.name} a {b}; only models of one architecture can be merged")
    if one.config.get(TIED, True) != other.config.get(TIED, True):
        tied, apart = (one, other) if one.config.get(TIED, True) else (other, one)
        raise ModelError(
            f"{tied.name} reads one matrix as embedding and last layer, {apart.name} has two ({TIED}); train both from "
            "the same model, or with adapters that leave embed_tokens and lm_head alone"
        )
    if "quantization_config" in one.config or "quantization_config" in other.config:
        raise ModelError(
            f"{one.name} or {other.name} is quantised, and such weights have no mean; merge models of full precision"
        )


def _check_vocabulary(one: Folder, other: Folder) -> None:
    a, b = one.vocabulary, other.vocabulary
    if a is None or b is None or a == b:
        return
    shown = "their tokenizers differ"
    if isinstance(a, dict) and isinstance(b, dict):
        token = min(a.items() ^ b.items())[0]
        shown = f"token {token!r} is {a.get(token, 'missing')} in one and {b.get(token, 'missing')} in the other"
    raise ModelError(
        f"{one.name} and {other.name} have different vocabularies ({shown}), so their embeddings mean other tokens; "
        "merge models that were trained from one model with one tokenizer"
    )


def _check_tensors(one: Folder, other: Folder) -> None:
    for name in (*one.shapes, *other.shapes):
        a, b = (list(m.shapes[name].shape) if name in m.shapes else None for m in (one, other))
        if a == b:
            continue
        if "_head/" in name and (a is None or b is None):
            owner = one if b is None else other
            raise ModelError(
                f"{owner.name} has the head {name.partition('/')[0]} and the other model has not; remove the file "
                f"{name.partition('/')[0]}.safetensors from a copy of it, or give both such a head"
            )
        raise ModelError(
            f"{name} is {a or 'missing'} in {one.name} and {b or 'missing'} in {other.name}; only models of one "
            "architecture and size can be merged"
        )
