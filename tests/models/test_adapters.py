"""What holds of adapters of every kind: off, merged, saved."""

from functools import partial

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from posttrain.errors import ModelError
from posttrain.models.adapters import (
    adapted,
    merge,
    merged_state,
    takes_apart,
    trained_parameters,
    without_adapters,
)
from posttrain.models.ia3 import add_ia3
from posttrain.models.loading.load import load
from posttrain.models.loading.save import save
from posttrain.models.loading.tiny import tiny_model
from posttrain.models.lora import add_lora
from tests.models.tiny import network, some_rows

KINDS = {"lora": partial(add_lora, rank=2, alpha=4), "ia3": add_ia3}
kinds = pytest.mark.parametrize("add", KINDS.values(), ids=KINDS)
models = pytest.mark.parametrize("model", ["Llama", "Qwen2", "GPT2"])  # plain, with biases, with transposed matrices


def outputs(net):
    tokens, rows = some_rows([5, 9, 3])
    return net.outputs(tokens, rows, ["logits"])["logits"]


def moved(net):
    """Move what is trained, so that the outputs change."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in trained_parameters(net).values():
            p.add_(0.3 * torch.randn(p.shape, generator=generator))
    return net


@kinds
@models
@pytest.mark.paper("001-text:PEFT family")
def test_off_is_the_base_bit_for_bit(add, model):
    net = network(model)
    before, weights = outputs(net), {n: x.clone() for n, x in net.trunk.state_dict().items()}
    add(net)
    assert torch.equal(outputs(net), before)
    after = outputs(moved(net))
    assert (after - before).abs().max() > 0.1
    with without_adapters(net):
        assert torch.equal(outputs(net), before)
        assert all(torch.equal(x, weights[n]) for n, x in merged_state(net).items())
    assert torch.equal(outputs(net), after)


@kinds
@models
@pytest.mark.paper("001-text:PEFT family")
def test_merged_is_a_plain_model_with_the_same_outputs(add, model):
    net = network(model)
    add(net)
    with torch.no_grad():
        for name, p in net.trunk.named_parameters():
            if name.endswith("bias"):
                p.normal_(0, 0.3, generator=torch.Generator().manual_seed(2))
    after, stated = outputs(moved(net)), {n: x.clone() for n, x in merged_state(net).items()}
    merge(net)
    assert not adapted(net)
    assert not takes_apart(net)
    assert all(p.requires_grad for p in net.trunk.parameters())
    torch.testing.assert_close(outputs(net), after, rtol=0, atol=1e-10)
    assert stated.keys() == network(model).trunk.state_dict().keys()
    for name, x in net.trunk.state_dict().items():
        torch.testing.assert_close(stated[name], x)


@kinds
@pytest.mark.paper("001-text:PEFT family")
def test_saved_merged_and_as_an_adapter_that_peft_and_we_load(add, tmp_path):
    net, tokenizer = tiny_model()
    save(net, tokenizer, tmp_path / "base")
    net.trunk.name_or_path = str(tmp_path / "base")
    add(net)
    after = outputs(moved(net))
    save(net, tokenizer, tmp_path / "final")
    tokens, _ = some_rows([5])
    plain, merged = (AutoModelForCausalLM.from_pretrained(tmp_path / name) for name in ("base", "final"))
    theirs = PeftModel.from_pretrained(plain, tmp_path / "final" / "adapter")
    torch.testing.assert_close(theirs(tokens[None]).logits, merged(tokens[None]).logits, rtol=0, atol=1e-3)
    for name in ("final", "final/adapter"):
        torch.testing.assert_close(outputs(load(str(tmp_path / name)).network), after, rtol=0, atol=1e-3)


@kinds
@pytest.mark.parametrize("other", KINDS.values(), ids=KINDS)
def test_a_model_with_adapters_gets_no_others(add, other):
    net = network()
    add(net)
    with pytest.raises(ModelError, match="adapters already; merge them before adding others"):
        other(net)
