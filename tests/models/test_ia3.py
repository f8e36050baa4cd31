import pytest
import torch
from torch import nn

from posttrain.backends.local.descent import descendant, frozen, twin
from posttrain.backends.local.optimiser import AdamW, Optimiser
from posttrain.config.load import load as read
from posttrain.errors import ConfigError, ModelError
from posttrain.launch.models import load_policy
from posttrain.models.adapters import trained_parameters
from posttrain.models.ia3 import add_ia3
from tests.models.test_adapters import moved, outputs
from tests.models.tiny import network, some_rows

LLAMA = {"k_proj": 16, "v_proj": 16, "down_proj": 48}  # what each vector scales, in a layer of the tiny Llama


def vectors(net):
    return {n: p for n, p in net.named_parameters() if ".ia3_l." in n}


@pytest.mark.paper("001-text:PEFT family")
def test_keys_and_values_are_scaled_and_what_the_last_matrix_of_the_mlp_reads():
    net = network("Qwen2")
    add_ia3(moved_biases(net), ["k_proj", "v_proj", "down_proj"], ["down_proj"])
    moved(net)
    block, x = net.trunk.model.layers[1], torch.randn(4, 48, dtype=torch.float64, generator=generator())
    key, down = block.self_attn.k_proj, block.mlp.down_proj
    scale = key.ia3_l["default"].squeeze()
    written = scale * (x[:, :32] @ key.weight.T + key.bias)
    torch.testing.assert_close(key(x[:, :32]), written)
    torch.testing.assert_close(down(x), (down.ia3_l["default"].squeeze() * x) @ down.weight.T)


def generator():
    return torch.Generator().manual_seed(3)


def moved_biases(net):
    with torch.no_grad():
        for name, p in net.trunk.named_parameters():
            if name.endswith("bias"):
                p.normal_(generator=generator())
    return net


def test_the_vectors_and_the_heads_alone_are_trained():
    net = network()
    net.add_head("value")
    add_ia3(net)
    assert sum(p.numel() for p in vectors(net).values()) == 3 * sum(LLAMA.values())
    assert trained_parameters(net).keys() == {*vectors(net), "heads.value.weight", "heads.value.bias"}
    assert {n for n, p in net.named_parameters() if p.requires_grad} == trained_parameters(net).keys()
    outputs(net).square().sum().backward()
    assert all(p.grad.abs().max() > 0 for p in vectors(net).values())


def test_weight_decay_does_not_pull_the_vectors_to_0():
    net = network()
    net.add_head("value")
    add_ia3(net)
    optimiser = Optimiser.of(net, AdamW(weight_decay=0.5))
    for p in optimiser.parameters:
        p.grad = torch.zeros_like(p)
    before = net.heads["value"].weight.clone()
    optimiser.step(0.1, optimiser.norm())
    assert all((p == 1).all() for p in vectors(net).values())
    assert torch.equal(net.heads["value"].weight, before * (1 - 0.1 * 0.5))


def test_roles_share_the_trunk_and_the_reference_has_its_vectors_off():
    net = network()
    before = outputs(net)
    add_ia3(net)
    critic = twin(moved(net))
    assert trained_parameters(net).keys() == {n for n, p in net.named_parameters() if n not in frozen(net)}
    assert all(p is dict(critic.named_parameters())[n] for n, p in frozen(net).items())
    assert not any(p is dict(critic.named_parameters())[n] for n, p in vectors(net).items())
    tokens, rows = some_rows([5, 9, 3])
    assert torch.equal(descendant(net, "reference").outputs(tokens, rows, ["logits"])["logits"], before)


def test_targets_without_inputs_take_those_of_the_architecture_among_them():
    net = network()
    add_ia3(net, ["q_proj", "down_proj"])
    assert {tuple(p.shape) for p in vectors(net).values()} == {(32, 1), (1, 48)}
    net = network()
    add_ia3(net, ["q_proj"])
    assert net.trunk.peft_config["default"].feedforward_modules == set()


def test_the_vectors_of_a_bfloat16_trunk_are_float32_and_draw_no_numbers():
    net, before = network(), torch.get_rng_state()
    net.trunk.bfloat16()
    add_ia3(net)
    assert {p.dtype for p in vectors(net).values()} == {torch.float32}
    assert outputs(net).isfinite().all()
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("targets", "inputs", "said"),
    [
        (["q_prj"], None, r"ia3.targets: no module of LlamaForCausalLM is called 'q_prj' \(did you mean 'q_proj'"),
        (["lm_head"], [], "lm_head is the last layer or no linear one"),
        (["embed_tokens"], [], "embed_tokens is the last layer or no linear one"),
        (["k_proj"], ["down_proj"], "ia3.inputs: down_proj is not among the targets k_proj; add it"),
    ],
)
def test_other_layers_are_refused(targets, inputs, said):
    with pytest.raises(ModelError, match=said):
        add_ia3(network(), targets, inputs)


def test_an_architecture_that_peft_does_not_know_needs_names():
    net = network()
    net.trunk.config.model_type = "unheard"
    with pytest.raises(ModelError, match=r"peft names no layers of LlamaForCausalLM; set ia3.targets"):
        add_ia3(net)
    add_ia3(net, ["v_proj"])
    assert isinstance(net.trunk.model.layers[0].self_attn.v_proj.base_layer, nn.Linear)


def policy(**model):
    return load_policy(read({"model": {"path": "tiny", **model}}, complete=False))


def test_the_run_file_adds_them(caplog):
    made = policy(ia3={"targets": ["v_proj", "down_proj"], "inputs": []}, new_tokens=["<a>"]).network
    assert {p.shape[1] for p in vectors(made).values()} == {1}
    assert "(IA)³ does not train the embeddings of the 1 new tokens" in caplog.text


@pytest.mark.parametrize("other", [{"lora": {}}, {"trained": "heads"}])
def test_the_run_file_refuses_what_does_not_go_with_them(other):
    with pytest.raises(ConfigError, match="remove"):
        policy(ia3={}, **other)
