"""Outputs, gradients, sampled answers and updates of a network on another device: those of the processor."""

from functools import partial

import pytest
import torch

from posttrain.backends.local.optimiser import AdamW, Optimiser
from posttrain.core.rows import Rows
from posttrain.models.adapters import without_adapters
from posttrain.models.attention import Packed
from posttrain.models.ia3 import add_ia3
from posttrain.models.lora import add_lora
from posttrain.sampling import decoding
from posttrain.sampling.engine import Engine
from posttrain.sampling.hf import HfEngine
from tests.fake_device.device import Elsewhere, record
from tests.models.tiny import ARCHITECTURES, network, padded, some_rows
from tests.sampling.test_engine import NEVER, requests, same
from tests.sampling.test_slots import turns

OUTPUTS = ("logp", "entropy", "logits", "value", "score", "hidden")
LOOSE = {"Gemma3Text": 1e-4}  # its norms are computed in float32


def heads(net):
    net.add_head("value", 1)
    net.add_head("score", 2)
    return net


def outputs_and_gradients(net, device):
    net.to(device)
    tokens, rows = some_rows([7, 3, 12, 5, 50])
    rows = Rows(rows.index.to(device), rows.mask.to(device), rows.count)
    found = net.outputs(tokens.to(device), rows, OUTPUTS, temperature=0.7)
    torch.stack([x.double().sin().sum() for x in found.values()]).sum().backward()
    gradients = {n: p.grad for n, p in net.named_parameters() if p.grad is not None}
    assert {x.device for x in (*found.values(), *gradients.values())} == {torch.device(device)}
    return {n: x.detach().cpu() for n, x in (found | gradients).items()}


# ---- the device


def test_it_refuses_what_a_gpu_refuses(device):
    x, y = torch.ones(3, device=device), torch.ones(3)
    for both in (lambda: x + y, lambda: torch.where(y > 0, x, x), lambda: y[x.long()], lambda: torch.cat([x, y])):
        with pytest.raises(RuntimeError, match="same device"):
            both()
    assert (x + torch.tensor(1.0)).tolist() == [2, 2, 2]
    assert x[torch.tensor([0, 2])].device == device


def test_a_graph_runs_again_on_its_memory(device):
    x = torch.ones(3, device=device)
    number = 2.0
    replay = record(lambda: x.mul(number).add_(torch.arange(3, device=device))[1:])
    number = 3.0
    x.copy_(torch.tensor([10.0, 20.0, 30.0]))
    assert replay().tolist() == [41, 62]


@pytest.mark.parametrize("waits", [lambda x: x * float(x[0]), lambda x: x[x > 0], lambda x: x.cpu(), torch.nonzero])
def test_a_graph_does_not_wait(device, waits):
    with pytest.raises(RuntimeError, match="not permitted when stream is capturing"):
        record(lambda: waits(torch.ones(3, device=device)))


# ---- networks


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_outputs_and_gradients(architecture, device):
    here, there = (outputs_and_gradients(heads(network(architecture)), d) for d in ("cpu", device))
    torch.testing.assert_close(there, here, rtol=1e-6, atol=LOOSE.get(architecture, 1e-9))


def test_activation_checkpoints(device):
    nets = [heads(network()) for _ in range(2)]
    for net in nets:
        net.checkpointing(on=True)
        net.train()
    here, there = (outputs_and_gradients(net, d) for net, d in zip(nets, ("cpu", device), strict=True))
    torch.testing.assert_close(there, here, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("add", [partial(add_lora, rank=2, alpha=4.0, seed=0), add_ia3])
def test_adapters(add, device):
    nets = [heads(network()) for _ in range(2)]
    for net in nets:
        add(net)
    here, there = (outputs_and_gradients(net, d) for net, d in zip(nets, ("cpu", device), strict=True))
    torch.testing.assert_close(there, here, rtol=1e-6, atol=1e-9)
    with without_adapters(nets[1]):
        nets[1].states(torch.tensor([5], device=device), Packed([1], device))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_updates(dtype, device):
    """The masters of a bf16 weight lie with it."""
    after = []
    for place in ("cpu", device):
        layer = torch.nn.Linear(5, 3, bias=False).to(dtype).to(place)
        with torch.no_grad():
            layer.weight.copy_(torch.linspace(-1, 1, 15).view(3, 5))
        optimiser = Optimiser(list(layer.parameters()), AdamW())
        for _ in range(3):
            layer(torch.ones(2, 5, dtype=dtype, device=place)).square().sum().backward()
            optimiser.step(0.01, optimiser.norm())
        after.append(layer.weight.detach().cpu())
    assert torch.equal(*after)


# ---- sampling


@pytest.mark.parametrize("graphs", [True, False], ids=["graphs", "kernels"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_answers(architecture, graphs, device, monkeypatch, caplog):
    monkeypatch.setattr(decoding, "capture_on", lambda place: record if graphs and place == device else None)
    asked = requests(11, max_tokens=20) + requests(3, 1, temperature=0.7, top_k=5) + requests(3, 2, top_p=0.8)
    asked += requests(2, 3, temperature=0.0)
    nets = network(architecture), network(architecture).to(device)
    here, there = (Engine({"policy": net}, NEVER, slots=5).generate(asked) for net in nets)
    same(there, here, within=LOOSE.get(architecture, 1e-9))
    assert all(isinstance(p, Elsewhere) for p in nets[1].parameters())
    assert ("cannot be captured" in caplog.text) == (graphs and architecture == "GPT2")  # it looks for padding


def test_conversations(device, monkeypatch):
    monkeypatch.setattr(decoding, "capture_on", lambda place: record if place == device else None)
    same(turns(Engine({"policy": network().to(device)}, NEVER)), turns(Engine({"policy": network()}, NEVER)))


@pytest.mark.parametrize("architecture", ["Gemma2", "Mamba"])
def test_answers_of_models_that_run_as_transformers_wrote_them(architecture, device):
    nets = padded(architecture), padded(architecture).to(device)
    here, there = (HfEngine({"policy": net}, NEVER, 4).generate(requests(6)) for net in nets)
    same(there, here, within=1e-4)
