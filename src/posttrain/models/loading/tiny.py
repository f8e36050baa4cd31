"""`tiny`: a model with random weights and a byte-level tokenizer, for tests, demonstrations and a first try."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from posttrain.models.network import Network

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, BOS, EOS = "<|pad|>", "<|bos|>", "<|end|>"
ROLES = ("system", "user", "assistant", "tool")
TEMPLATE = (
    "{%- for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|assistant|>' }}{%- endif %}"
)
WIDTH, LAYERS, ATTENTION_HEADS, CONTEXT = 96, 3, 6, 512


def tiny_model(seed: int = 0) -> tuple[Network, PreTrainedTokenizerFast]:
    """Return an untrained Llama of 300 thousand float32 parameters and its tokenizer. Equal seeds give equal bits."""
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    tokenizer = byte_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=ATTENTION_HEADS,
        num_key_value_heads=ATTENTION_HEADS,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        dtype=torch.float32,
    )
    with torch.random.fork_rng(devices=[]):
        trunk = LlamaForCausalLM(config)
    trunk.name_or_path = "tiny"
    trunk.generation_config = GenerationConfig.from_model_config(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in trunk.parameters():
            if weight.dim() > 1:
                weight.normal_(0, weight.shape[1] ** -0.5, generator=generator)
    return Network(trunk).eval(), tokenizer


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer with a token per byte, and special tokens for padding, begin, end and the roles of a chat."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = {character: i for i, character in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = [PAD, BOS, EOS, *(f"<|{role}|>" for role in ROLES)]
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in specials])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        chat_template=TEMPLATE,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
