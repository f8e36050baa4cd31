"""Adapters as models, written by us and by peft."""

import json

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from posttrain.errors import ModelError
from posttrain.models.loading.adapter import adapter_in
from posttrain.models.loading.load import load
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.lora import adapted, add_lora
from tests.models.test_effective_weight import trained
from tests.models.test_lora import outputs


@pytest.fixture
def base(tmp_path):
    save(*tiny_model(), tmp_path / "base")
    return tmp_path / "base"


@pytest.mark.parametrize("of", ["tiny", "a folder"])
def test_our_adapter_is_the_merged_model(tmp_path, base, of):
    loaded = load("tiny" if of == "tiny" else str(base))
    add_lora(loaded.network, 2, 4, ["q_proj", "lm_head"], modules_to_save=["norm"])
    save(trained(loaded.network), loaded.tokenizer, tmp_path / "new")
    again = load(str(tmp_path / "new" / "adapter"))
    assert not adapted(again.network)
    assert again.tokenizer.get_vocab() == loaded.tokenizer.get_vocab()
    torch.testing.assert_close(outputs(again.network), outputs(loaded.network), rtol=0, atol=1e-3)
    save(again.network, again.tokenizer, tmp_path / "merged")
    expected = outputs(load(str(tmp_path / "new")).network)
    torch.testing.assert_close(outputs(load(str(tmp_path / "merged")).network), expected, rtol=0, atol=1e-3)


def test_an_adapter_of_peft_with_more_tokens_than_its_base(tmp_path, base):
    plain, tokenizer = AutoModelForCausalLM.from_pretrained(base), load(str(base)).tokenizer
    tokenizer.add_tokens(["<new>"])
    plain.resize_token_embeddings(len(tokenizer))
    model = get_peft_model(
        plain, LoraConfig(r=2, target_modules=["q_proj"], modules_to_save=["embed_tokens", "lm_head"])
    )
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.requires_grad:
                p.add_(0.05)
    model.save_pretrained(tmp_path / "adapter")
    tokenizer.save_pretrained(tmp_path / "adapter")
    loaded = load(str(tmp_path / "adapter"))
    assert loaded.network.vocab_size == len(tokenizer) == len(loaded.tokenizer)
    tokens = torch.tensor([[70, 71, len(tokenizer) - 1]])
    from posttrain.models.attention import Packed

    ours = loaded.network.logits(loaded.network.states(tokens[0], Packed([3])))
    torch.testing.assert_close(ours, model.eval()(tokens).logits[0], rtol=0, atol=1e-4)


def test_what_is_missing_is_named(tmp_path, base):
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="names no base model; write it there as base_model_name_or_path"):
        load(str(tmp_path))
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "./nowhere"}))
    with pytest.raises(ModelError, match="holds no adapter_model.safetensors"):
        load(str(tmp_path))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="its base model: no model folder ./nowhere"):
        load(str(tmp_path))
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base)}))
    with pytest.raises(ModelError, match="the adapter does not fit its base model"):
        load(str(tmp_path))
    (tmp_path / "adapter_config.json").write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        load(str(tmp_path))


def test_a_whole_model_is_no_adapter(base):
    (base / "adapter_config.json").write_text("{}")
    assert adapter_in(base) is None
