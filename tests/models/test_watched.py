"""Attention of the last layer as an output."""

import pytest
import torch

from posttrain.core.rows import Rows
from posttrain.errors import ModelError
from tests.models.tiny import network, some_rows, trunk


def expected(architecture, tokens, rows):
    """The same by plain transformers, row by row."""
    reference = trunk(architecture)
    reference.set_attn_implementation("eager")
    found = []
    for row in range(rows.count):
        own = tokens[rows.index == row]
        found.append(reference(input_ids=own[None], output_attentions=True).attentions[-1][0, :, -1].mean(0))
    return torch.cat(found).float()


@pytest.mark.paper("chan2024xig")
@pytest.mark.parametrize("architecture", ["Llama", "Mistral", "GPT2"])
@torch.no_grad()
def test_it_is_that_of_plain_transformers(architecture):
    net, (tokens, rows) = network(architecture), some_rows([7, 4, 9])
    found = net.outputs(tokens, rows, ["attention", "logp"])["attention"]
    torch.testing.assert_close(found, expected(architecture, tokens, rows), rtol=0, atol=1e-6)


@torch.no_grad()
def test_a_prefix_that_is_read_once_is_attended_to_by_all_its_rows():
    tokens = torch.tensor([5, 6, 7, 8, 9, 5, 6, 7, 8, 10, 11])
    index = torch.tensor([0] * 5 + [1] * 6)
    rows = Rows(index, torch.tensor([False] * 4 + [True] + [False] * 4 + [True] * 2), 2)
    found = network().outputs(tokens, rows, ["attention"])["attention"]
    torch.testing.assert_close(found, expected("Llama", tokens, rows), rtol=0, atol=1e-6)


def test_a_model_with_a_forward_pass_of_its_own_has_none():
    from tests.models.tiny import padded

    with pytest.raises(ModelError, match="gives no attention"):
        padded("Gemma2").outputs(*some_rows([5]), ["attention"])
