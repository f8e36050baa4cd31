"""Models that are in memory already: a copy is trained, and what cannot be trained says so."""

from __future__ import annotations

import pytest
import torch

from posttrain.errors import ModelError
from posttrain.models.loading.given import Given, fingerprint_of_weights, load_given
from posttrain.models.loading.tiny import tiny_model


def test_a_copy_in_the_models_dtype_without_dropout():
    network, tokenizer = tiny_model()
    trunk = network.trunk.to(torch.bfloat16)
    trunk.model.layers[0].self_attn.attention_dropout = 0.5
    loaded = load_given(Given(trunk, tokenizer), "mine", dtype=None, device="cpu")
    assert loaded.network.trunk is not trunk
    assert {w.dtype for w in loaded.network.trunk.parameters()} == {torch.bfloat16}
    assert loaded.network.trunk.model.layers[0].self_attn.attention_dropout == 0
    assert trunk.model.layers[0].self_attn.attention_dropout == 0.5
    assert loaded.stop
    assert not loaded.network.training
    wide = load_given(Given(trunk, tokenizer), "mine", dtype="float32", device="cpu")
    assert {w.dtype for w in wide.network.trunk.parameters()} == {torch.float32}


def test_the_fingerprint_changes_with_the_weights():
    trunk = tiny_model()[0].trunk
    before = fingerprint_of_weights(trunk)
    assert before == fingerprint_of_weights(tiny_model()[0].trunk)
    with torch.no_grad():
        trunk.model.norm.weight += 1e-3
    assert fingerprint_of_weights(trunk) != before


def test_what_is_no_language_model_is_an_error():
    class Encoder(torch.nn.Linear):
        pass

    with pytest.raises(ModelError, match="no last layer of a language model; give an AutoModelForCausalLM"):
        load_given(Given(Encoder(2, 2), None), "Encoder", dtype=None, device="cpu")
    adapted = Encoder(2, 2)
    adapted.peft_config = {}
    with pytest.raises(ModelError, match="merge_and_unload"):
        load_given(Given(adapted, None), "Encoder", dtype=None, device="cpu")
