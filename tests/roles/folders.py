"""Folders with tiny models whose tokenizer is not that of `tiny`, written by plain transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from tests.data.tokenizer import byte_tokenizer
from tests.models.tiny import trunk

MERGES = ("y e", "n o", "i t")


def language_model(folder: Path, *, template: bool = True) -> tuple[Any, Any]:
    """Save a language model with a score head that `load` reads; return it, without the head, and its tokenizer."""
    from posttrain.models.loading.save import save
    from posttrain.models.network import Network

    tokenizer = byte_tokenizer(merges=MERGES) if template else byte_tokenizer(None, merges=MERGES)
    model = trunk("Llama", vocab_size=len(tokenizer), max_position_embeddings=128, tie_word_embeddings=True).float()
    network = Network(model)
    network.add_head("score", seed=3)
    save(network, tokenizer, folder)
    return transformers.AutoModelForCausalLM.from_pretrained(folder).eval(), tokenizer


def classifier(folder: Path, *, labels: int = 1, tied: bool = False, template: bool = True) -> tuple[Any, Any]:
    """Save a sequence classifier of transformers; return it with its tokenizer."""
    tokenizer = byte_tokenizer(merges=MERGES) if template else byte_tokenizer(None, merges=MERGES)
    base = trunk("Llama", vocab_size=len(tokenizer), max_position_embeddings=128, tie_word_embeddings=tied)
    config = base.config
    config.num_labels, config.pad_token_id = labels, tokenizer.pad_token_id
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = transformers.AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    model.model.load_state_dict(base.model.state_dict())
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.eval(), tokenizer
