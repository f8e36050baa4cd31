"""The layers of Llama and its relatives, run on flat tokens with few passes over memory.

The modules and parameters are those of `transformers`; only their forward pass is written again, and shorter. Training
and sampling both come through here, so that a token has one log-prob whoever asks. Other architectures run as
`transformers` wrote them.

Legend: N tokens, D hidden width, H query heads, G key-value heads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

from posttrain.models.attention import Decode, Layout
from posttrain.models.kernels import decode_step as step
from posttrain.models.kernels.elementwise import Hold, gated, kept, linear, made_again, rms_norm, rotated

Project = Callable[[Any, Tensor], Tensor]  # a module of the layer, and what goes into it

RELATIVES = ("LlamaModel", "MistralModel", "Qwen2Model", "Qwen3Model")


def related(decoder: Any) -> bool:
    """Whether `states` computes what the decoder's own forward pass does."""
    return type(decoder).__name__ in RELATIVES and decoder.config.hidden_act == "silu"


def states(decoder: Any, tokens: Tensor, layout: Layout) -> Tensor:
    """Hidden state after each token: [N] -> [N, D]."""
    x = decoder.embed_tokens(tokens)
    angles = tuple(a[0] for a in decoder.rotary_emb(x, layout.positions[None]))
    again = decoder.training and decoder.gradient_checkpointing  # of whole layers
    for block in decoder.layers:
        if isinstance(layout, Decode):
            x = _one_token(block, x, layout, angles)
            continue
        through = partial(_layer, block, layout=layout, angles=angles, hold=kept if again else made_again)
        x = decoder._gradient_checkpointing_func(through, x) if again else through(x)
    return _norm(decoder.norm, x)


def _all(module: Any, x: Tensor) -> Tensor:
    projected: Tensor = module(x)
    return projected


def _few(module: Any, x: Tensor) -> Tensor:
    """The same for one token of each sequence. What is more than a matrix, by adapters or hooks, is called."""
    return linear(x, module.weight, module.bias) if _plain(module) else module(x)


def _plain(module: Any) -> bool:
    return type(module) is nn.Linear and not (module._forward_hooks or module._forward_pre_hooks)


def _one_token(block: Any, x: Tensor, layout: Decode, angles: tuple[Tensor, ...]) -> Tensor:
    """A layer for one token of each sequence: in one call, if there is nothing in it but matrices, or step by step."""
    found = layout.through(block.self_attn.layer_idx, partial(_matrices, block), x, angles)
    return _layer(block, x, layout, angles, kept, _few) if found is None else found


def _layer(
    block: Any, x: Tensor, layout: Layout, angles: tuple[Tensor, ...], hold: Hold, project: Project = _all
) -> Tensor:
    with hold(partial(_norm, block.input_layernorm), x) as normed:
        query, key, value = _heads(block.self_attn, normed, project)
    x = x + project(block.self_attn.o_proj, _attention(block.self_attn, query, key, value, layout, angles))
    with hold(partial(_norm, block.post_attention_layernorm), x) as normed:
        gate, up = project(block.mlp.gate_proj, normed), project(block.mlp.up_proj, normed)
    with hold(gated, gate, up) as product:
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
    query, key = rotated(query, *angles), rotated(key, *angles)
    return layout.attend(module.layer_idx, query, key, value, module.scaling, _window(module)).flatten(1)


def _window(module: Any) -> int | None:
    window: int | None = getattr(module, "sliding_window", getattr(module.config, "sliding_window", None))
    return window


def _matrices(block: Any) -> step.Layer | None:
    """The layer's weights, if that is all there is in it."""
    attention, mlp = block.self_attn, block.mlp
    into = attention.q_proj, attention.k_proj, attention.v_proj
    products = *into, attention.o_proj, mlp.gate_proj, mlp.up_proj, mlp.down_proj
    norms = block.input_layernorm, block.post_attention_layernorm
    norms += (attention.q_norm, attention.k_norm) if hasattr(attention, "q_norm") else ()
    eps = {norm.variance_epsilon for norm in norms}
    if len(eps) > 1 or not all(_plain(product) and product.bias is None for product in products):
        return None
    first, second, *of_heads = (norm.weight for norm in norms)
    of_query, of_key = of_heads or (None, None)
    query, key, value, out, gate, up, down = (product.weight for product in products)
    numbers = eps.pop(), attention.scaling, _window(attention)
    return step.Layer(first, query, key, value, of_query, of_key, out, second, gate, up, down, *numbers)


def _norm(module: Any, x: Tensor) -> Tensor:
    return rms_norm(x, module.weight, module.variance_epsilon)
