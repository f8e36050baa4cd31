"""Adapters on the first and the last layer: in gradients, in references, and in what is saved."""

import json
import warnings

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from posttrain.models.adapters import merge, without_adapters
from posttrain.models.attention import Packed
from posttrain.models.effective_weight import effective_weight
from posttrain.models.loading.load import load
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.lora import add_lora
from posttrain.models.without_adapters import WithoutAdapters
from tests.models.test_lora import outputs
from tests.models.tiny import network, some_rows

ENDS = ["lm_head", "embed_tokens"]


def trained(net):
    """Give the halves of adapters that start at 0 random numbers."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, p in net.named_parameters():
            if "lora_B" in name or "lora_embedding_A" in name:
                p.copy_(torch.randn(p.shape, generator=generator))
    return net


def logp(net):
    tokens, rows = some_rows([5, 9])
    return net.outputs(tokens, rows, ["logp"])["logp"]


@pytest.mark.fault("M3")
def test_an_adapter_of_the_last_layer_has_the_gradient_of_the_merged_matrix():
    net = network("Mistral")
    add_lora(net, 2, 6, ["lm_head"])
    logp(trained(net)).sum().backward()
    layer = net.trunk.lm_head
    up, down = layer.lora_B["default"].weight, layer.lora_A["default"].weight
    merged = network("Mistral")
    with torch.no_grad():
        merged.trunk.lm_head.weight.copy_(effective_weight(layer))
    logp(merged).sum().backward()
    moved = merged.trunk.lm_head.weight.grad
    torch.testing.assert_close(up.grad, 3 * moved @ down.T)
    torch.testing.assert_close(down.grad, 3 * up.T @ moved)


@pytest.mark.fault("M3")
@pytest.mark.parametrize("targets", [["lm_head"], ["embed_tokens"], ENDS, ["all-linear", *ENDS]])
def test_a_tied_model_is_taken_apart_where_its_ends_come_to_differ(tmp_path, targets):
    net, tokenizer = tiny_model()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        add_lora(net, 2, 4, targets)
        after = outputs(trained(net))
        save(net, tokenizer, tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["tie_word_embeddings"] is False
    assert net.trunk.config.tie_word_embeddings
    plain, info = AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] | info["unexpected_keys"]
    first, last = plain.get_input_embeddings().weight, plain.get_output_embeddings().weight
    base, _ = tiny_model()
    assert torch.equal(first, base.trunk.get_input_embeddings().weight) == ("embed_tokens" not in targets)
    assert torch.equal(last, base.unembedding[0]) == ("lm_head" not in targets)
    tokens, _ = some_rows([6])
    theirs = plain(tokens[None]).logits[0]
    again = load(str(tmp_path)).network
    torch.testing.assert_close(outputs(again), after, rtol=0, atol=1e-3)
    merge(net)
    torch.testing.assert_close(outputs(net), after, rtol=0, atol=1e-3)
    torch.testing.assert_close(theirs, net.logits(net.states(tokens, Packed([6]))), rtol=0, atol=1e-3)
    assert not net.trunk.config.tie_word_embeddings


def test_a_tied_model_stays_one_matrix_where_adapters_are_elsewhere(tmp_path):
    net, tokenizer = tiny_model()
    add_lora(net, 2, 4, ["q_proj"])
    save(trained(net), tokenizer, tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["tie_word_embeddings"] is True


def test_a_reference_has_no_adapter_at_its_ends_either():
    net, before = network(), outputs(network())
    add_lora(net, 2, 4, ENDS)
    trained(net)
    reference, states = WithoutAdapters(net), torch.ones(3, net.unembedding[0].shape[1], dtype=torch.float64)
    assert torch.equal(outputs(reference), before)
    assert torch.equal(reference.logits(states), network().logits(states))
    assert not torch.equal(net.logits(states), network().logits(states))


@pytest.mark.parametrize("make", [lambda: network("Mistral"), lambda: tiny_model()[0]], ids=["two matrices", "one"])
def test_modules_to_save_are_trained_and_a_reference_reads_what_they_were(make):
    net, before = make(), outputs(make())
    add_lora(net, 2, 4, ["q_proj"], modules_to_save=["lm_head", "norm"])
    full = {n for n, p in net.named_parameters() if p.requires_grad and ".lora_" not in n}
    assert full == set(net.originals)
    assert len(full) == 2
    logp(net).sum().backward()
    assert all(net.get_parameter(n).grad.abs().sum() > 0 for n in full)
    with torch.no_grad():
        for name in full:
            net.get_parameter(name).mul_(1.5)
    after = outputs(trained(net))
    assert not torch.equal(after, before)
    copied = net.copy()
    for model in (net, copied):
        with without_adapters(model):
            assert torch.equal(outputs(model), before)
        assert torch.equal(outputs(model), after)
    merge(net)
    torch.testing.assert_close(outputs(net), after, rtol=1e-4, atol=1e-4)
    with without_adapters(net):
        torch.testing.assert_close(outputs(net), after, rtol=1e-4, atol=1e-4)


def test_peft_loads_an_adapter_with_its_fully_trained_modules(tmp_path):
    net, tokenizer = tiny_model()
    save(net, tokenizer, tmp_path / "base")
    add_lora(net, 2, 4, ["q_proj"], modules_to_save=["lm_head"], rslora=True)
    with torch.no_grad():
        net.trunk.lm_head.weight.mul_(1.5)
    save(trained(net), tokenizer, tmp_path / "new")
    assert json.loads((tmp_path / "new" / "config.json").read_text())["tie_word_embeddings"] is True
    tokens, _ = some_rows([6])
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "new")(tokens[None]).logits
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    model = PeftModel.from_pretrained(base, tmp_path / "new" / "adapter")
    torch.testing.assert_close(model(tokens[None]).logits, merged, rtol=1e-3, atol=1e-3)


def test_rslora_scales_by_the_root_of_the_rank():
    net = network()
    add_lora(net, 4, 6, ["lm_head"], rslora=True)
    layer = trained(net).trunk.lm_head
    product = layer.lora_B["default"].weight @ layer.lora_A["default"].weight
    torch.testing.assert_close(effective_weight(layer), layer.weight + 6 / 2 * product)
