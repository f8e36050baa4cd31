"""The forward pass of Llama and similar models on flat tokens, with fused operations between the products.

Modules and parameters are those of `transformers`; only their forward pass is replaced. Training and sampling share it,
so that a token has the same log-prob in both. Other architectures run the forward pass of `transformers`.

Legend: N tokens, D hidden width, H query heads, G key-value heads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

from posttrain.models.attention import Decode, Layout, Repeated
from posttrain.models.kernels import decode_step
from posttrain.models.kernels.elementwise import Saving, gated, linear, recomputed, rms_norm, rotary_embedding, stored

Project = Callable[[Any, Tensor], Tensor]  # (linear module of the layer, input) -> output
Edit = Callable[[int, Tensor], Tensor]  # (number of a layer, what leaves it [N, D]) -> what the next one reads

THROUGH = "through"  # a layer may have this function as a method, so that hooks see that it is called
SUPPORTED = ("LlamaModel", "MistralModel", "Qwen2Model", "Qwen3Model")


def supports(decoder: Any) -> bool:
    """Whether `states` computes the same as the decoder's own forward pass."""
    return type(decoder).__name__ in SUPPORTED and decoder.config.hidden_act == "silu"


def states(decoder: Any, tokens: Tensor, layout: Layout, edit: Edit | None = None) -> Tensor:
    """Hidden state after each token: [N] -> [N, D]. An `edit` changes, or looks at, what leaves each layer."""
    return _norm(decoder.norm, _through(decoder, decoder.layers, decoder.embed_tokens(tokens), layout, edit))


def member_states(decoder: Any, tokens: Tensor, layout: Layout, shared: int, count: int) -> Tensor:
    """Hidden state of each member after each token: [N] -> [N, M, D]. The first `shared` layers run once for all."""
    x = _through(decoder, decoder.layers[:shared], decoder.embed_tokens(tokens), layout)
    x = _through(decoder, decoder.layers[shared:], x.repeat(count, 1), Repeated(layout, count))
    return _norm(decoder.norm, x).view(count, len(tokens), -1).transpose(0, 1)


def _through(decoder: Any, blocks: Any, x: Tensor, layout: Layout, edit: Edit | None = None) -> Tensor:
    """States after some layers: [N, D] -> [N, D]."""
    angles = tuple(a[0] for a in decoder.rotary_emb(x, layout.positions[None]))
    whole_layers = decoder.training and decoder.gradient_checkpointing  # are recomputed
    for number, block in enumerate(blocks):
        if isinstance(layout, Decode):
            x = _one_token(block, x, layout, angles)
        else:
            passed = {"layout": layout, "angles": angles, "saving": stored if whole_layers else recomputed}
            layer = partial(getattr(block, THROUGH, partial(through, block)), **passed)
            x = decoder._gradient_checkpointing_func(layer, x) if whole_layers else layer(x)
        if edit is not None:
            x = edit(number, x)
    return x


def _project(module: Any, x: Tensor) -> Tensor:
    projected: Tensor = module(x)
    return projected


def _project_few(module: Any, x: Tensor) -> Tensor:
    """The same for one token of each sequence. Modules with adapters or hooks are called as usual."""
    return linear(x, module.weight, module.bias) if _is_plain(module) else module(x)


def _is_plain(module: Any) -> bool:
    """Whether a module is nothing but a matrix and a bias."""
    return type(module) is nn.Linear and not (module._forward_hooks or module._forward_pre_hooks)


def _one_token(block: Any, x: Tensor, layout: Decode, angles: tuple[Tensor, ...]) -> Tensor:
    """A layer for one token of each sequence: in a single call if its weights are plain, else operator by operator."""
    output = layout.run_layer(block.self_attn.layer_idx, partial(_weights, block), x, angles)
    return through(block, x, layout, angles, stored, _project_few) if output is None else output


def through(
    block: Any, x: Tensor, layout: Layout, angles: tuple[Tensor, ...], saving: Saving, project: Project = _project
) -> Tensor:
    """States after a layer of transformers: [N, D] -> [N, D]."""
    with saving(partial(_norm, block.input_layernorm), x) as normed:
        query, key, value = _heads(block.self_attn, normed, project)
    x = x + project(block.self_attn.o_proj, _attention(block.self_attn, query, key, value, layout, angles))
    with saving(partial(_norm, block.post_attention_layernorm), x) as normed:
        gate, up = project(block.mlp.gate_proj, normed), project(block.mlp.up_proj, normed)
    with saving(gated, gate, up) as product:
        return x + project(block.mlp.down_proj, product)


def _heads(module: Any, x: Tensor, project: Project) -> tuple[Tensor, ...]:
    """Queries [N, H, D], keys and values [N, G, D]."""
    projections = module.q_proj, module.k_proj, module.v_proj
    return tuple(project(projection, x).view(len(x), -1, module.head_dim) for projection in projections)


def _attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, layout: Layout, angles: tuple[Tensor, ...]
) -> Tensor:
    if hasattr(module, "q_norm"):
        query, key = _norm(module.q_norm, query), _norm(module.k_norm, key)
    query, key = rotary_embedding(query, *angles), rotary_embedding(key, *angles)
    return layout.attend(module.layer_idx, query, key, value, module.scaling, _window(module)).flatten(1)


def _window(module: Any) -> int | None:
    window: int | None = getattr(module, "sliding_window", getattr(module.config, "sliding_window", None))
    return window


def _weights(block: Any) -> decode_step.Layer | None:
    """The weights of a layer; None if there is more in it: biases, adapters or hooks."""
    attention, mlp = block.self_attn, block.mlp
    inputs = attention.q_proj, attention.k_proj, attention.v_proj
    products = *inputs, attention.o_proj, mlp.gate_proj, mlp.up_proj, mlp.down_proj
    norms = block.input_layernorm, block.post_attention_layernorm
    norms += (attention.q_norm, attention.k_norm) if hasattr(attention, "q_norm") else ()
    eps = {norm.variance_epsilon for norm in norms}
    if len(eps) > 1 or not all(_is_plain(product) and product.bias is None for product in products):
        return None
    first, second, *head_norms = (norm.weight for norm in norms)
    query_norm, key_norm = head_norms or (None, None)
    query, key, value, out, gate, up, down = (product.weight for product in products)
    constants = eps.pop(), attention.scaling, _window(attention)
    return decode_step.Layer(first, query, key, value, query_norm, key_norm, out, second, gate, up, down, *constants)


def _norm(module: Any, x: Tensor) -> Tensor:
    return rms_norm(x, module.weight, module.variance_epsilon)
