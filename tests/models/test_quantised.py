"""Frozen weights of 4 bits under adapters: what is packed, trained, saved and resumed."""

import copy

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from posttrain.config.load import load as load_run
from posttrain.errors import ConfigError, ModelError
from posttrain.launch.models import load_policy
from posttrain.models import nf4
from posttrain.models.adapters import merge, merged_state, without_adapters
from posttrain.models.ia3 import add_ia3
from posttrain.models.loading.load import load
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.lora import add_lora
from posttrain.models.network import Network
from posttrain.models.padded import Padded
from posttrain.models.quantised import QuantisedLinear, dequantise, quantise, unpacked_state
from tests.harness.runs import SAVED_EVERY_STEP, run, same_bits
from tests.models import codes
from tests.models.tiny import some_rows, trunk

LENGTHS = [5, 9, 3]
PACKED = {"path": "tiny", "quantize": "nf4", "lora": {"rank": 2}}


@pytest.fixture(autouse=True)
def plain_torch(monkeypatch):
    """Compute the codes in plain torch: bitsandbytes is an extra, and slow to import."""
    monkeypatch.setattr(nf4, "load_kernels", lambda _: None)
    monkeypatch.setattr(nf4, "pack", codes.pack)
    monkeypatch.setattr(nf4, "unpack", codes.unpack)


def network(architecture="Llama", **settings):
    return Network(trunk(architecture, intermediate_size=64, **settings).float())


def outputs(net):
    tokens, rows = some_rows(LENGTHS)
    return net.outputs(tokens, rows, ["logits"])["logits"]


def packed(net):
    return {name for name, module in net.trunk.named_modules() if isinstance(module, QuantisedLinear)}


def trained(net):
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, p in net.named_parameters():
            if "lora_B" in name:
                p.copy_(torch.randn(p.shape, generator=generator) / 4)
    return net


def test_ia3_scales_what_packed_weights_write_and_read():
    net = network()
    quantise(net, "cpu")
    before = outputs(net)
    add_ia3(net)
    with torch.no_grad():
        for name, p in net.named_parameters():
            if ".ia3_l." in name:
                p.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(1))
    after, stated = outputs(net), {n: x.clone() for n, x in merged_state(net).items()}
    assert (after - before).abs().max() > 0.01
    with without_adapters(net):
        assert torch.equal(outputs(net), before)
    merge(net)
    torch.testing.assert_close(outputs(net), after, rtol=0, atol=1e-3)
    for name, x in net.trunk.state_dict().items():
        torch.testing.assert_close(stated[name], x)


@pytest.mark.parametrize("architecture", ["Llama", "Qwen2", "Gemma3Text"])
def test_every_linear_layer_but_the_last_computes_with_its_rounded_weight(architecture):
    net = network(architecture)
    count = sum(isinstance(module, torch.nn.Linear) for module in net.trunk.modules())
    rounded = copy.deepcopy(net)
    quantise(net, "cpu")
    assert len(packed(net)) == count - 1
    assert not any(name.endswith("lm_head") for name in packed(net))
    before = outputs(rounded)
    rounded.trunk.load_state_dict(unpacked_state(net.trunk))
    torch.testing.assert_close(outputs(net), outputs(rounded))
    assert (outputs(net) - before).abs().max() > 0.01
    after = outputs(net)
    dequantise(net.trunk)
    assert not packed(net)
    torch.testing.assert_close(outputs(net), after)


@pytest.mark.paper("000:[45]")
def test_the_gradients_of_adapters_are_those_over_unpacked_weights():
    net = network("Qwen2")
    quantise(net, "cpu")
    plain = copy.deepcopy(net)
    dequantise(plain.trunk)
    grads = []
    for each in (net, plain):
        add_lora(each, rank=2, alpha=4)
        outputs(trained(each)).square().sum().backward()
        grads.append({n: p.grad for n, p in each.named_parameters() if p.grad is not None})
    assert grads[0].keys() == grads[1].keys()
    assert all("lora_" in name for name in grads[0])
    for name, gradient in grads[0].items():
        torch.testing.assert_close(gradient, grads[1][name], rtol=1e-3, atol=1e-3 * float(gradient.abs().max()))


def test_no_unpacked_weight_is_kept_for_the_backward_pass():
    net = network()
    quantise(net, "cpu")
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x.shape) or x, lambda x: x):
        layer = net.trunk.model.layers[0].mlp.up_proj
        layer(torch.randn(3, 32, requires_grad=True))
    assert torch.Size([64, 32]) not in kept


def test_the_reference_is_the_rounded_base_and_merging_unpacks_it():
    net = network()
    quantise(net, "cpu")
    base = outputs(net)
    add_lora(net, rank=2, alpha=4)
    after = outputs(trained(net))
    assert (after - base).abs().max() > 0.1
    with without_adapters(net):
        torch.testing.assert_close(outputs(net), base)
    merge(net)
    assert not packed(net)
    torch.testing.assert_close(outputs(net), after, rtol=1e-3, atol=1e-3)


def test_modules_that_are_trained_in_full_stay_whole():
    net = network()
    quantise(net, "cpu", whole=["layers.1.mlp", "o_proj"])
    assert not {name for name in packed(net) if "layers.1.mlp" in name or "o_proj" in name}
    assert "model.layers.0.mlp.up_proj" in packed(net)


def test_a_saved_model_is_the_unpacked_base_with_adapters_merged(tmp_path):
    model, tokenizer = tiny_model()
    quantise(model, "cpu")
    add_lora(model, rank=2, alpha=4)
    save(trained(model), tokenizer, tmp_path)
    loaded = load(str(tmp_path)).network
    torch.testing.assert_close(outputs(loaded), outputs(model), rtol=1e-3, atol=1e-3)
    opened = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)
    assert opened.state_dict().keys() == loaded.trunk.state_dict().keys()
    assert "quantiz" not in (tmp_path / "config.json").read_text()
    merge(model)
    fresh = tiny_model()[0]
    quantise(fresh, "cpu")
    dequantise(fresh.trunk)
    again = PeftModel.from_pretrained(fresh.trunk, str(tmp_path / "adapter")).merge_and_unload()
    for name, weight in again.state_dict().items():
        torch.testing.assert_close(model.trunk.state_dict()[name], weight, rtol=0, atol=1e-6)


def test_a_reward_model_stays_a_classifier(tmp_path):
    model, tokenizer = tiny_model()
    model.add_head("score", seed=0)
    quantise(model, "cpu")
    add_lora(model, rank=2, alpha=4)
    save(model, tokenizer, tmp_path)
    assert "ForSequenceClassification" in (tmp_path / "config.json").read_text()


def test_a_run_trains_adapters_only_and_resumes_with_the_same_bits(tmp_path):
    def trained_for(name, steps, **launching):
        return run(SAVED_EVERY_STEP | {"model": PACKED, "name": name}, tmp_path, f"train.steps={steps}", **launching)

    whole = trained_for("whole", 2)
    trained_for("cut", 1)
    assert same_bits(trained_for("cut", 2, resume=True), whole)
    base = tiny_model()[0]
    quantise(base, "cpu")
    saved, before = load(str(whole.directory / "final")).network.trunk.state_dict(), unpacked_state(base.trunk)
    changed = {name for name, weight in before.items() if not torch.equal(saved[name], weight)}
    assert changed == {f"{name}.weight" for name in packed(base)}


def test_the_run_file_says_what_is_packed():
    loaded = load_policy(load_run({"model": PACKED | {"lora": {"modules_to_save": ["o_proj"]}}}, complete=False))
    names = packed(loaded.network)
    assert len(names) > 5
    assert not any("o_proj" in name for name in names)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"quantize": "nf4"}, "weights of 4 bits cannot be trained; set lora"),
        ({"quantize": "nf4", "lora": {}, "dtype": "float64"}, "not in float64; set dtype"),
        ({"quantize": "int8", "lora": {}}, "quantize"),
        ({"load_in_4bit": True}, "set model.quantize to nf4, beside model.lora"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(keys, message):
    with pytest.raises(ConfigError, match=message):
        load_run({"model": {"path": "tiny", **keys}}, complete=False)


def test_models_that_cannot_be_packed_are_refused():
    with pytest.raises(ModelError, match="MambaForCausalLM does not run on flat tokens"):
        quantise(Padded(trunk("Mamba")), "cpu")
    with pytest.raises(ModelError, match="GPT2LMHeadModel has no linear layers of torch"):
        quantise(Network(trunk("GPT2").float()), "cpu")


def test_weights_outside_linear_layers_are_named(caplog):
    net = network()
    quantise(net, "cpu")
    assert not caplog.messages
    net = network()
    net.trunk.experts = torch.nn.Module()
    net.trunk.experts.up = torch.nn.Parameter(torch.zeros(4, 64, 64))
    quantise(net, "cpu")
    assert "are not quantised, experts.up above all" in caplog.text
