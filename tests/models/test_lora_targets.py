import re

import pytest

from posttrain.errors import ModelError
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.lora import add_lora
from posttrain.models.lora_targets import named_modules, resolve_targets
from tests.models.tiny import network


def adapters(net):
    return {n.partition(".lora_")[0].rpartition(".")[2] for n, _ in net.named_parameters() if ".lora_" in n}


def test_all_linear_layers_but_the_last_or_those_that_are_named():
    net = network()
    linear = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert resolve_targets(net, "all-linear") == resolve_targets(net, ["all-linear"]) == "all-linear"
    assert resolve_targets(net, ["q_proj", "lm_head"]) == ["q_proj", "lm_head"]
    add_lora(net, 2, 4, ["all-linear", "lm_head", "embed_tokens"])
    assert adapters(net) == linear | {"lm_head", "embed_tokens"}
    plain = network()
    add_lora(plain, 2, 4)
    assert adapters(plain) == linear


@pytest.mark.fault("M4")
@pytest.mark.parametrize("targets", [["q_prj"], ["q_proj", "q_prj"], ["all-linear", "q_prj"]])
def test_a_name_of_no_layer_is_an_error_that_lists_those_there_are(targets):
    with pytest.raises(ModelError, match=re.escape("'q_prj' (did you mean 'q_proj'?); there are down_proj, embed_")):
        add_lora(network(), 2, 4, targets)


def test_a_layer_without_a_matrix_takes_no_adapter():
    with pytest.raises(ModelError, match="no layer of .* is called 'norm'"):
        resolve_targets(network(), ["norm"])


@pytest.mark.parametrize("targets", [["lm_head"], ["all-linear", "embed_tokens"]])
def test_a_matrix_is_not_adapted_and_trained_in_full(targets):
    """The tiny model has one matrix for both ends."""
    net, _ = tiny_model()
    with pytest.raises(ModelError, match=r"is a target and in modules_to_save \(lm_head\).*remove it from one of the"):
        add_lora(net, 2, 4, targets, modules_to_save=["lm_head"])
    assert not adapters(net)


def test_all_linear_leaves_out_what_is_trained_in_full():
    net = network()
    add_lora(net, 2, 4, modules_to_save=["q_proj", "layers.0.mlp"])
    names = [n.partition(".lora_")[0] for n, _ in net.named_parameters() if ".lora_" in n]
    assert not any(n.endswith("q_proj") or "layers.0.mlp" in n for n in names)
    assert adapters(net) == {"k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def test_modules_to_save_are_any_that_have_weights():
    net = network()
    assert set(named_modules(net, ["lm_head", "norm"])) == {"lm_head", "model.norm"}
    assert len(named_modules(net, ["input_layernorm"])) == len(net.trunk.model.layers)
    with pytest.raises(ModelError, match=r"modules_to_save: no module .* 'lm_hed' \(did you mean 'lm_head'\?\)"):
        named_modules(net, ["lm_hed"])
