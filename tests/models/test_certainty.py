"""The distance from the uniform distribution, without all logits in memory, in networks of either kind."""

import math

import pytest
import torch

from tests.models.tiny import UNUSUAL, VOCABULARY, network, padded, some_rows

pytestmark = pytest.mark.paper("zhang2025d44")


@pytest.mark.parametrize("architecture", ["Llama", "GPTNeoX", "Gemma2", "Cohere"])
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_it_is_that_of_the_logits_and_so_is_its_gradient(architecture, temperature):
    net = padded(architecture) if architecture in UNUSUAL else network(architecture)
    tokens, rows = some_rows([6, 1, 4])
    out = net.outputs(tokens, rows, ["certainty", "logits", "logp"], temperature=temperature)
    whole = -out["logits"].log_softmax(-1).mean(-1) - math.log(VOCABULARY)
    expected = torch.where(out["logp"] != 0, whole, 0)
    near = {"rtol": 1e-4, "atol": 1e-5} if architecture in UNUSUAL else {"rtol": 0, "atol": 1e-11}
    torch.testing.assert_close(out["certainty"], expected, check_dtype=False, **near)
    assert (out["certainty"] >= 0).all()
    weights = list(net.trunk.parameters())
    ours, theirs = (
        torch.autograd.grad(x.sum(), weights, retain_graph=True, allow_unused=True)
        for x in (out["certainty"], expected)
    )
    for a, b in zip(ours, theirs, strict=True):
        if b is not None and b.norm() > 0:
            assert (a - b).norm() <= 1e-3 * b.norm()


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_the_soft_value_is_that_of_the_logits(temperature):
    net = network("Llama")
    tokens, rows = some_rows([6, 1, 4])
    out = net.outputs(tokens, rows, ["log_partition", "logits", "logp"], temperature=temperature)
    expected = torch.where(out["logp"] != 0, out["logits"].logsumexp(-1), 0)
    torch.testing.assert_close(out["log_partition"], expected, check_dtype=False, rtol=0, atol=1e-11)
    taken = out["logits"].gather(-1, tokens[:, None])[:, 0]
    torch.testing.assert_close(torch.where(out["logp"] != 0, taken - expected, 0), out["logp"], check_dtype=False)
