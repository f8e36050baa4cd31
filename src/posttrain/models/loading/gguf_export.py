"""Write models of the Llama, Mistral and Qwen families as GGUF files, for llama.cpp and what builds on it."""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from posttrain.errors import MissingExtraError, ModelError, suggestion
from posttrain.models.loading.gguf_tokenizer import vocabulary
from posttrain.models.network import Network

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_log = logging.getLogger(__name__)

FAMILIES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
FORMATS = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "q8_0": "Q8_0"}
ENDS = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
LAYER = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def write_gguf(network: Network, tokenizer: PreTrainedTokenizerBase, file: Path, dtype: str, name: str) -> None:
    """Write model and tokenizer to a GGUF file. Matrices get `dtype` (FORMATS), vectors float32.

    Raises ModelError for a family, a tokenizer or a detail of the model that cannot be written, before anything is.
    """
    if importlib.util.find_spec("gguf") is None:
        raise MissingExtraError("writing a .gguf file", "gguf")
    import gguf

    if dtype not in FORMATS:
        raise ModelError(f"gguf: no dtype {dtype!r}{suggestion(dtype, FORMATS)}; there are {', '.join(FORMATS)}")
    network.check_writes("cannot be a GGUF file")
    config = network.trunk.config
    architecture = _architecture(network)
    described = vocabulary(tokenizer, len(network.trunk.get_input_embeddings().weight))
    tensors = list(_tensors(network))
    if network.heads:
        _log.warning("%s: GGUF has no place for heads, so %s is left out", file, " and ".join(network.heads))
    kind = gguf.GGMLQuantizationType[FORMATS[dtype]]
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(file, architecture)
    writer.add_name(name)
    writer.add_file_type(gguf.LlamaFileType[f"{'ALL' if dtype == 'float32' else 'MOSTLY'}_{FORMATS[dtype]}"])
    _add_config(writer, config)
    _add_tokenizer(writer, tokenizer, described, network)
    for tensor_name, tensor in tensors:
        of = kind if tensor.dim() > 1 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(tensor_name, gguf.quants.quantize(tensor.float().numpy(), of), raw_dtype=of)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _architecture(network: Network) -> str:
    """Return the name of the family in GGUF. Raises ModelError if it, or a detail of the model, has none."""
    config = network.trunk.config
    if config.model_type not in FAMILIES:
        raise ModelError(f"gguf: {config.model_type} models cannot be written, only {', '.join(FAMILIES)}")
    rope = config.rope_parameters or {}
    windows = getattr(config, "layer_types", None) or []
    window = config.model_type == "mistral" and config.sliding_window
    details = {
        "scaled rotary positions": rope.get("rope_type", "default") != "default",
        "a sliding window": "sliding_attention" in windows or window,
        f"the activation {config.hidden_act}": config.hidden_act != "silu",
    }
    if found := [detail for detail, there in details.items() if there]:
        raise ModelError(
            f"gguf: a model with {found[0]} cannot be written; export a folder and use llama.cpp's "
            "convert_hf_to_gguf.py"
        )
    return FAMILIES[config.model_type]


def _tensors(network: Network) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights under their names in GGUF. Raises ModelError for one that has no name there."""
    trunk, config = network.trunk, network.trunk.config
    tied = config.tie_word_embeddings
    for name, weight in trunk.state_dict().items():
        module, _, kind = name.rpartition(".")
        layer = re.fullmatch(r"model\.layers\.(\d+)\.(.*)", module)
        if module == "lm_head" and tied:
            continue
        if layer and layer[2] in LAYER:
            own = f"blk.{layer[1]}.{LAYER[layer[2]]}"
        elif module in ENDS:
            own = ENDS[module]
        else:
            raise ModelError(f"gguf: the weight {name} has no place in the format")
        if FAMILIES[config.model_type] == "llama" and own.endswith(("attn_q", "attn_k")):
            heads = config.num_attention_heads if own.endswith("q") else config.num_key_value_heads
            weight = _interleaved(weight, heads)
        yield f"{own}.{kind}", weight.detach().cpu().contiguous()


def _interleaved(weight: Tensor, heads: int) -> Tensor:
    """Reorder the rows of each head from halves to pairs, as the rotary embedding of Llama in llama.cpp reads them."""
    halves = weight.reshape(heads, 2, -1, *weight.shape[1:])
    return halves.transpose(1, 2).reshape(weight.shape)


def _add_config(writer: Any, config: Any) -> None:
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(float((config.rope_parameters or {}).get("rope_theta", 10000.0)))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def _add_tokenizer(writer: Any, tokenizer: PreTrainedTokenizerBase, described: Any, network: Network) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(described.rule)
    writer.add_token_list(described.tokens)
    writer.add_token_types(described.kinds)
    if described.merges:
        writer.add_token_merges(described.merges)
    else:
        writer.add_token_scores([0.0] * len(described.tokens))
    for role in ("bos", "eos", "unk", "pad"):
        if (token := getattr(tokenizer, f"{role}_token_id")) is not None:
            getattr(writer, f"add_{role}_token_id")(token)
    ends = network.trunk.generation_config.eos_token_id if network.trunk.generation_config else None
    others = [t for t in (ends if isinstance(ends, list) else [ends]) if t not in (None, tokenizer.eos_token_id)]
    if others:
        writer.add_eot_token_id(others[0])
    written = tokenizer("a")["input_ids"]
    writer.add_add_bos_token(written[0] == tokenizer.bos_token_id)
    writer.add_add_eos_token(written[-1] == tokenizer.eos_token_id)
    if isinstance(tokenizer.chat_template, str):
        writer.add_chat_template(tokenizer.chat_template)
