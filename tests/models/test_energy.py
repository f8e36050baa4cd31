"""The energy that the last MLP loses, as an output."""

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.errors import ModelError
from posttrain.models.lora import add_lora
from posttrain.models.network import Network
from tests.models.tiny import network, padded, some_rows, trunk

pytestmark = pytest.mark.paper("miao2025ox0")


def expected(architecture, tokens, rows):
    """The same by plain transformers, row by row, from what its last MLP is called with and returns."""
    reference, seen = trunk(architecture), []
    layers = reference.base_model.h if architecture == "GPT2" else reference.base_model.layers
    layers[-1].mlp.register_forward_hook(lambda _, inputs, output: seen.append((inputs[0], output)))
    found = []
    for row in range(rows.count):
        reference(input_ids=tokens[rows.index == row][None])
        (read, written), *_ = seen
        loss = read.abs().mean(-1)[0] - written.abs().mean(-1)[0]
        found.append(torch.cat([torch.zeros(1), loss[:-1]]))
        seen.clear()
    return torch.cat(found).float()


@pytest.mark.parametrize("architecture", ["Llama", "Qwen3", "GPT2", "GPTNeoX", "Gemma3Text"])
@torch.no_grad()
def test_it_is_that_of_the_state_before_each_token(architecture):
    net, (tokens, rows) = network(architecture), some_rows([7, 4, 1, 9])
    found = net.outputs(tokens, rows, ["energy_loss", "logp"])["energy_loss"]
    torch.testing.assert_close(found, expected(architecture, tokens, rows), rtol=0, atol=2e-6)
    assert (found[rows.index.diff(prepend=rows.index[:1] - 1) != 0] == 0).all()


@torch.no_grad()
def test_a_prefix_that_is_read_once_has_it_in_all_its_rows():
    tokens = torch.tensor([5, 6, 7, 8, 9, 5, 6, 7, 8, 10, 11])
    index = torch.tensor([0] * 5 + [1] * 6)
    rows = Rows(index, torch.tensor([False] * 4 + [True] + [False] * 4 + [True] * 2), 2)
    found = network().outputs(tokens, rows, ["energy_loss"])["energy_loss"]
    torch.testing.assert_close(found, expected("Llama", tokens, rows), rtol=0, atol=2e-6)


@torch.no_grad()
def test_new_adapters_change_nothing_and_nothing_stays_behind():
    net, (tokens, rows) = network(), some_rows([5, 3])
    plain = net.outputs(tokens, rows, ["energy_loss"])["energy_loss"]
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    add_lora(net, 2, 4.0, "all-linear", seed=0)
    torch.testing.assert_close(net.outputs(tokens, rows, ["energy_loss"])["energy_loss"], plain)


@pytest.mark.parametrize(("architecture", "why"), [("Gemma2", "it runs as transformers"), ("OPT", "no MLP of two")])
def test_a_model_without_it_says_so(architecture, why):
    made = {
        "Gemma2": lambda: padded("Gemma2"),
        "OPT": lambda: Network(trunk("OPT", ffn_dim=48, word_embed_proj_dim=32)),
    }
    tokens, rows = some_rows([3])
    with pytest.raises(ModelError, match=f"gives no energy_loss: .*{why}"):
        made[architecture]().outputs(tokens, rows, ["energy_loss"])
