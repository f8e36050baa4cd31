import sys

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from posttrain.errors import ModelError
from posttrain.models.adapters import adapted, merge, save_adapter, without_adapters
from posttrain.models.loading.load import load
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.lora import add_lora
from tests.models.tiny import network, some_rows, trunk

LENGTHS = [5, 9, 3]


def outputs(net):
    tokens, rows = some_rows(LENGTHS)
    return net.outputs(tokens, rows, ["logits"])["logits"]


def trained(net):
    """Give the adapters random weights, so that they change the outputs."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, p in net.named_parameters():
            if "lora_B" in name:
                p.copy_(torch.randn(p.shape, generator=generator))
    return net


@pytest.mark.paper("000:[26]", "001-text:PEFT family")
def test_adapters_start_as_nothing_and_switch_off_again():
    net = network()
    before = outputs(net)
    add_lora(net, rank=2, alpha=4)
    torch.testing.assert_close(outputs(net), before, rtol=0, atol=1e-12)
    trained(net)
    after = outputs(net)
    assert (after - before).abs().max() > 0.1
    with without_adapters(net):
        torch.testing.assert_close(outputs(net), before, rtol=0, atol=1e-12)
    torch.testing.assert_close(outputs(net), after, rtol=0, atol=1e-12)


@pytest.mark.paper("000:[26]")
@pytest.mark.parametrize(("rank", "alpha"), [(2, 4), (2, 1.5), (4, 4)])
def test_the_weights_move_by_alpha_over_rank_times_the_product_of_the_adapters(rank, alpha):
    net, bare = network(), network().trunk.state_dict()
    add_lora(net, rank=rank, alpha=alpha)
    trained(net)
    parts = {n: p.detach().clone() for n, p in net.trunk.named_parameters() if ".lora_" in n}
    merge(net)
    moved = net.trunk.state_dict()
    for name, down in parts.items():
        if "lora_A" in name:
            up, weight = parts[name.replace("lora_A", "lora_B")], name.partition(".lora_A")[0] + ".weight"
            torch.testing.assert_close(moved[weight] - bare[weight], alpha / rank * up @ down)


@pytest.mark.paper("sidahmed20244mc", "basit2024hl2", "sidahmed2024ikf")
def test_only_adapters_and_heads_are_trained():
    net = network()
    net.add_head("value")
    add_lora(net, rank=2, alpha=4)
    names = {n for n, p in net.named_parameters() if p.requires_grad}
    assert {n for n in names if ".lora_" not in n} == {"heads.value.weight", "heads.value.bias"}
    assert len([n for n in names if "lora_A" in n]) == 3 * 7
    with without_adapters(net):
        assert {n for n, p in net.named_parameters() if p.requires_grad} == names
    outputs(net).sum().backward()
    assert all(p.grad is not None for n, p in net.named_parameters() if "lora_B" in n)
    assert net.unembedding[0].grad is None


def test_checkpointing_reaches_the_adapters_of_a_frozen_trunk():
    net = network()
    add_lora(net, rank=2, alpha=4)
    net.checkpointing(True)
    trained(net.train())
    outputs(net).square().sum().backward()
    assert all(p.grad.abs().max() > 0 for n, p in net.named_parameters() if ".lora_" in n)


def test_a_seed_decides_the_adapters_and_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    nets = [network(), network(), network()]
    for net, seed in zip(nets, (1, 1, 2), strict=True):
        add_lora(net, rank=2, alpha=4, seed=seed)
    first, same, other = ([p for n, p in net.named_parameters() if "lora_A" in n] for net in nets)
    assert all(map(torch.equal, first, same))
    assert not any(map(torch.equal, first, other))
    assert torch.equal(before, torch.get_rng_state())


def test_adapters_of_a_bfloat16_trunk_are_float32_unless_asked():
    wide, narrow = network(), network()
    wide.trunk.bfloat16()
    narrow.trunk.bfloat16()
    add_lora(wide, rank=2, alpha=4)
    add_lora(narrow, rank=2, alpha=4, dtype=torch.bfloat16)
    for net, dtype in ((wide, torch.float32), (narrow, torch.bfloat16)):
        assert {p.dtype for n, p in net.named_parameters() if ".lora_" in n} == {dtype}
        assert outputs(net).isfinite().all()


@pytest.mark.paper("sidahmed20244mc", "sidahmed2024ikf", "000:[26]")
def test_merging_gives_a_plain_model_with_the_same_outputs():
    net = network()
    add_lora(net, rank=2, alpha=4)
    after = outputs(trained(net))
    merge(net)
    assert not adapted(net)
    assert net.state_dict().keys() == network().state_dict().keys()
    torch.testing.assert_close(outputs(net), after, rtol=0, atol=1e-10)


@pytest.mark.paper("001-text:PEFT family")
def test_saved_merged_and_as_an_adapter_that_peft_loads(tmp_path):
    net, tokenizer = tiny_model()
    add_lora(net, rank=2, alpha=4)
    after = outputs(trained(net))
    save(net, tokenizer, tmp_path)
    torch.testing.assert_close(outputs(net), after)  # saving changes nothing
    torch.testing.assert_close(outputs(load(str(tmp_path)).network), after, rtol=0, atol=1e-3)

    base, _ = tiny_model()
    save(base, tokenizer, tmp_path / "base")
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    model = PeftModel.from_pretrained(plain, tmp_path / "adapter")
    tokens, _ = some_rows([6])
    merge(net)
    torch.testing.assert_close(
        model(tokens[None]).logits,
        AutoModelForCausalLM.from_pretrained(tmp_path)(tokens[None]).logits,
        rtol=0,
        atol=1e-3,
    )


def test_targets_that_do_not_exist_and_second_adapters_are_refused(tmp_path):
    net = network()
    with pytest.raises(ModelError, match="LoRA targets"):
        add_lora(net, rank=2, alpha=4, targets=["q_prj"])
    add_lora(net, rank=2, alpha=4, targets=["q_proj"])
    with pytest.raises(ModelError, match="already"):
        add_lora(net, rank=2, alpha=4)
    save_adapter(net, tmp_path / "adapter")
    assert PeftModel.from_pretrained(trunk(), tmp_path / "adapter") is not None


def test_a_model_without_adapters_is_saved_without_peft(tmp_path, monkeypatch):
    """Whose import takes 7 MB and half a second, in the first checkpoint of a run."""
    monkeypatch.setitem(sys.modules, "peft.tuners.lora", None)
    loaded = load("tiny")
    save(loaded.network, loaded.tokenizer, tmp_path)
    assert (tmp_path / "model.safetensors").is_file()


def test_a_copy_is_independent():
    net = network()
    add_lora(net, rank=2, alpha=4)
    reference = net.copy()
    before = outputs(reference)
    trained(net)
    assert torch.equal(outputs(reference), before)
    assert not torch.equal(outputs(net), before)
