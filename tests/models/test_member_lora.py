"""Members of an ensemble that share a trunk and have adapters of their own in its last layers."""

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from posttrain.errors import ModelError
from posttrain.models.adapters import trained_parameters
from posttrain.models.loading.load import load
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.member_lora import adapters, add_members, gram
from tests.models.tiny import network, some_rows

LENGTHS = [5, 9, 3]


def ensemble(architecture="Llama", members=3, **settings):
    """A network whose members have random adapters."""
    net = network(architecture)
    net.add_head("score", 1, members)
    add_members(net, members, 2, 3.0, **settings)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for _, layer in adapters(net):
            layer.lora_B.copy_(torch.randn(layer.lora_B.shape, generator=generator) * 0.3)
    return net


def scores(net):
    return net.outputs(*some_rows(LENGTHS), ["scores"])["scores"]


def alone(net, m):
    """The scores of one member as those of a model with its adapters merged."""
    merged = network()
    with torch.no_grad():
        for name, layer in adapters(net):
            merged.trunk.get_submodule(name).weight += layer.scale * layer.lora_B[m] @ layer.lora_A[m]
    merged.add_head("score")
    merged.heads["score"].load_state_dict({n: x[m : m + 1] for n, x in net.heads["score"].state_dict().items()})
    return merged.outputs(*some_rows(LENGTHS), ["score"])["score"]


@pytest.mark.paper("000:[25]")
def test_each_member_scores_as_a_model_with_its_adapters_merged():
    net = ensemble(layers=2)
    found = scores(net)
    assert found.std(1).min() > 0.01
    for m in range(3):
        torch.testing.assert_close(found[:, m], alone(net, m), rtol=0, atol=1e-12)


def test_new_adapters_change_nothing_and_nothing_else_is_trained():
    net = network()
    net.add_head("score", 1, 3)
    before = scores(net)
    add_members(net, 3, 2, 4.0, layers=1, targets=["q_proj", "v_proj"])
    torch.testing.assert_close(scores(net), before, rtol=0, atol=1e-12)
    names = set(trained_parameters(net))
    assert {n.split(".")[3] for n in names if n.startswith("trunk")} == {"2"}
    assert {n.split(".")[-2] for n in names if ".lora_" in n} == {"q_proj", "v_proj"}
    first = next(layer for _, layer in adapters(net)).lora_A
    assert not torch.equal(first[0], first[1])


def test_lower_layers_run_once_and_have_no_gradient():
    net, seen = ensemble(layers=1), []
    for block in net.trunk.base_model.layers:
        block.mlp.down_proj.register_forward_hook(lambda _, x, __: seen.append((len(x[0]), x[0].requires_grad)))
    tokens = len(some_rows(LENGTHS)[0])
    scores(net)
    assert seen == [(tokens, False), (tokens, False), (3 * tokens, True)]


def test_the_products_of_updates_are_those_of_the_written_out_matrices():
    net = ensemble(layers=2)
    updates = [(layer.scale * layer.lora_B @ layer.lora_A).flatten(1) for _, layer in adapters(net)]
    flat = torch.cat(updates, 1)
    torch.testing.assert_close(gram(net), flat @ flat.T)
    found = net.outputs(*some_rows(LENGTHS), ["diversity"])["diversity"]
    torch.testing.assert_close(found, torch.linalg.matrix_norm(flat, "nuc").expand(3), rtol=1e-9, atol=1e-9)


@pytest.mark.paper("zhai20238xc")
def test_equal_members_are_less_diverse_than_orthogonal_ones():
    """√M ‖w‖ for equal updates, M ‖w‖ for orthogonal ones of equal norm."""
    net = ensemble(members=4, layers=1, targets=["o_proj"])
    layer = next(layer for _, layer in adapters(net))
    norm = []
    for rows in ([0, 0, 0, 0], [0, 1, 2, 3]):
        with torch.no_grad():
            layer.lora_A.zero_()
            layer.lora_B.zero_()
            for m, row in enumerate(rows):
                layer.lora_A[m, 0, 0] = 1.0
                layer.lora_B[m, row, 0] = 2.0 / layer.scale
        norm.append(net.outputs(*some_rows(LENGTHS), ["diversity"])["diversity"][0].item())
    assert norm == pytest.approx([4.0, 8.0], abs=1e-5)


def test_the_nuclear_norm_drives_members_apart():
    net = ensemble(members=2, layers=1, targets=["o_proj"])
    parameters = [p for _, layer in adapters(net) for p in (layer.lora_A, layer.lora_B)]
    with torch.no_grad():
        for p in parameters:
            p[1] = p[0] + 0.1 * p[1]

    def cosine():
        products = gram(net).detach()
        return float(products[0, 1] / (products[0, 0] * products[1, 1]).sqrt())

    before, optimiser = cosine(), torch.optim.SGD(parameters, lr=0.05)
    for _ in range(5):
        optimiser.zero_grad()
        (-net.outputs(*some_rows(LENGTHS), ["diversity"])["diversity"][0]).backward()
        optimiser.step()
    assert cosine() < before - 0.05


def test_members_are_saved_as_adapters_of_peft_and_load_again(tmp_path):
    net, tokenizer = tiny_model()
    net.add_head("score", 1, 2)
    add_members(net, 2, 2, 3.0, layers=1, targets=["q_proj", "down_proj"], rslora=True)
    with torch.no_grad():
        for _, layer in adapters(net):
            layer.lora_B.normal_(0, 0.5, generator=torch.Generator().manual_seed(3))
    save(net, tokenizer, tmp_path)
    tokens, rows = some_rows(LENGTHS)
    ours = net.outputs(tokens, rows, ["scores"])["scores"]
    again = load(str(tmp_path)).network
    torch.testing.assert_close(again.outputs(tokens, rows, ["scores"])["scores"], ours, rtol=0, atol=1e-6)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path)
    head = net.heads["score"]
    for m in range(2):
        member = PeftModel.from_pretrained(plain, tmp_path / "members" / str(m + 1))
        states = member(input_ids=tokens[None, :5], output_hidden_states=True).hidden_states[-1][0, -1]
        assert (states @ head.weight[m] + head.bias[m]).item() == pytest.approx(ours[0, m].item(), abs=1e-4)
        plain = member.unload()


def test_members_only_score():
    net = ensemble()
    with pytest.raises(ModelError, match="they give no logp; name another model"):
        net.outputs(*some_rows(LENGTHS), ["logp"])
    with pytest.raises(ModelError, match="adapters already"):
        add_members(net, 2, 2, 4.0)
    with pytest.raises(ModelError, match="more than the 3 layers"):
        add_members(network(), 2, 2, 4.0, layers=4)
    with pytest.raises(ModelError, match="has no layers that members can share"):
        add_members(network("GPT2"), 2, 2, 4.0)
