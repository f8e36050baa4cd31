"""Tiny models of several architectures in float64, and rows to run them on."""

from __future__ import annotations

from functools import partial

import torch
import transformers
from torch import Tensor

from posttrain.core.rows import Rows
from posttrain.models.network import Network
from posttrain.models.padded import Padded

VOCABULARY = 40
BASE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
ARCHITECTURES = {
    "Llama": {"tie_word_embeddings": True},
    "Qwen2": {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
    "Qwen3": {"head_dim": 8},
    "Mistral": {"sliding_window": 3},
    "Gemma3Text": {"head_dim": 8, "sliding_window": 4},
    "GPTNeoX": {"attention_dropout": 0.1, "hidden_dropout": 0.1},
    "GPT2": {"n_embd": 32, "n_head": 4, "n_layer": 3, "n_positions": 64, "resid_pdrop": 0.1},
}

# Architectures that cannot run on flat tokens: capped attention or logits, scaled logits, state-space layers.
UNUSUAL = {
    "Gemma2": {"head_dim": 8, "sliding_window": 4, "attn_logit_softcapping": 5.0, "final_logit_softcapping": 3.0},
    "Cohere": {"logit_scale": 0.3},
    "Granite": {"logits_scaling": 4.0, "residual_multiplier": 0.5},
    "Mamba": {},
    "RecurrentGemma": {},
}


def trunk(architecture: str = "Llama", seed: int = 0, **settings: object) -> transformers.PreTrainedModel:
    own = (ARCHITECTURES | UNUSUAL).get(architecture, {})
    config = getattr(transformers, f"{architecture}Config")(**BASE | own | settings)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float64)
        with torch.no_grad():
            for weight in model.parameters():
                if weight.dim() > 1:
                    weight.normal_(0, 0.3)
    return model.eval()


def with_exact_norms(model: transformers.PreTrainedModel) -> transformers.PreTrainedModel:
    """Let RMS norms compute in the model's dtype; those of transformers compute in float32 whatever it is."""

    def norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
        return x / (x.pow(2).mean(-1, keepdim=True) + eps).sqrt() * weight

    for module in model.modules():
        if hasattr(module, "variance_epsilon"):
            module.forward = partial(norm, weight=module.weight, eps=module.variance_epsilon)
    return model


def network(architecture: str = "Llama", seed: int = 0, **settings: object) -> Network:
    return Network(trunk(architecture, seed, **settings))


def padded(architecture: str = "Gemma2", seed: int = 0, **settings: object) -> Padded:
    return Padded(trunk(architecture, seed, **settings))


def some_rows(lengths: list[int], seed: int = 0) -> tuple[Tensor, Rows]:
    """Random tokens; the mask of each row is true in its second half."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(3, VOCABULARY, (sum(lengths),), generator=generator)
    index = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths))
    mask = torch.cat([torch.arange(n) >= n // 2 for n in lengths])
    return tokens, Rows(index, mask, len(lengths))
