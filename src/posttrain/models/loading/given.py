"""A model of transformers that is in memory already. A copy of it is trained; the object stays as it is."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from posttrain.errors import ModelError
from posttrain.models.loading.dtypes import dtype_called
from posttrain.models.loading.load import Loaded, as_network, fit_vocabulary, without_dropout
from posttrain.models.loading.stop import stop_tokens
from posttrain.models.loading.stored_quantised import refuse_quantised

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_SAMPLED = 1024  # elements of each tensor that the fingerprint reads


@dataclass(frozen=True, eq=False)
class Given:
    """A loaded causal language model and its tokenizer."""

    model: Any
    tokenizer: PreTrainedTokenizerBase


def load_given(
    given: Given, name: str, *, dtype: str | None, device: str | torch.device, resize: bool = False
) -> Loaded:
    """Make a network of a copy. `dtype`: None keeps that of the model. Raises ModelError if it cannot be trained."""
    trunk = given.model
    if hasattr(trunk, "peft_config"):
        raise ModelError(f"{name} has adapters of peft; give model.merge_and_unload(), and train new ones with lora")
    if not hasattr(trunk, "get_output_embeddings") or trunk.get_output_embeddings() is None:
        raise ModelError(f"{name} has no last layer of a language model; give an AutoModelForCausalLM")
    refuse_quantised(name, trunk)
    trunk = copy.deepcopy(trunk).to(device)
    without_dropout(trunk.config)
    for module in trunk.modules():  # which have copies of what the config said
        for attribute, value in vars(module).items():
            if isinstance(value, float) and ("dropout" in attribute or (attribute == "p" and "Dropout" in str(module))):
                setattr(module, attribute, 0.0)
    if dtype is not None:
        trunk.to(dtype_called(dtype))
    network = as_network(trunk, name)
    tokenizer = copy.deepcopy(given.tokenizer)
    fit_vocabulary(network, tokenizer, name, resize)
    network.to(device).eval()
    return Loaded(network, tokenizer, name, stop_tokens(network, tokenizer), stored=given.model.dtype)


def fingerprint_of_weights(model: Any) -> str:
    """Hash names, shapes and some elements of all weights: eight hexadecimal digits. Training changes it."""
    digest = hashlib.sha256()
    for name, weight in model.state_dict().items():
        flat = weight.detach().reshape(-1)
        some = flat[:: max(1, len(flat) // _SAMPLED)].to("cpu", torch.float32)
        digest.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode() + some.numpy().tobytes())
    return digest.hexdigest()[:8]
