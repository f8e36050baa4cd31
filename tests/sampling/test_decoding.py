"""Captured steps on the CPU: a capture that keeps the function stands in for a CUDA graph."""

import pytest
import torch

from posttrain.sampling import decoding
from posttrain.sampling.engine import Engine
from posttrain.sampling.request import Request
from tests.models.tiny import ARCHITECTURES, network
from tests.sampling.test_engine import NEVER, requests, same
from tests.sampling.test_slots import turns


@pytest.fixture
def replays(monkeypatch):
    """Let steps be captured, and replayed on the present content of their inputs. The list has every replay."""
    replayed = []

    def capture(step):
        def replay():
            replayed.append(step)
            return step()

        return replay

    monkeypatch.setattr(decoding, "capture_on", lambda device: capture)
    monkeypatch.setattr(decoding, "WIDTH_UNIT", 4)
    return replayed


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_replayed_steps_draw_the_same_tokens(architecture, monkeypatch, replays):
    net, asked = network(architecture), requests(11, max_tokens=20)
    actual = Engine({"policy": net}, NEVER, slots=5).generate(asked)
    assert replays
    monkeypatch.setattr(decoding, "capture_on", lambda device: None)
    same(
        actual,
        Engine({"policy": net}, NEVER, slots=5).generate(asked),
        within=1e-4 if "Gemma" in architecture else 1e-10,
    )


def test_a_shape_is_captured_once_and_only_when_it_recurs(replays):
    steps = decoding.Decoding(network(), 8, 16)
    for count in (3, 4, 3, 3):  # all padded to 4
        steps.logits([5] * count, [1] * count)
    assert [len(shape) for shape in steps.state()["captured"]] == [2]
    assert len(replays) == 3
    steps.logits([5] * 5, [1] * 5)
    assert len(replays) == 3


def test_the_padding_of_a_graph_writes_to_a_spare_slot(replays):
    net = network()
    steps = decoding.Decoding(net, 4, 16)
    steps.logits([5, 6, 7, 8], [0, 0, 0, 0])
    before = [x[:, :4].clone() for x in steps.cache.state()]
    for _ in range(3):
        steps.logits([9, 9, 9], [3, 3, 3])
    assert replays
    for x, y in zip(before, steps.cache.state(), strict=True):
        assert torch.equal(x[:, 3], y[:, 3])  # the fourth slot, which did not run
        assert not torch.equal(x[:, :3], y[:, :3])


def test_steps_are_captured_again_after_the_cache_has_moved(replays, monkeypatch):
    monkeypatch.setattr(decoding, "PAGE", 8)
    steps = decoding.Decoding(network(), 2, 8)
    for _ in range(2):
        steps.logits([5, 6], [7, 7])
    steps.cache.reserve(16)
    expected = decoding.Decoding(network(), 2, 16)
    for place in range(7):
        for each in (steps, expected):
            each.logits([5, 6], [place, place])
    assert torch.equal(steps.logits([5, 6], [7, 7]), expected.logits([5, 6], [7, 7]))


def test_a_captured_step_reads_new_weights(replays):
    net = network()
    steps = decoding.Decoding(net, 2, 8)
    before = [steps.logits([5, 6], [0, 0]).clone() for _ in range(3)][-1]
    with torch.no_grad():
        net.trunk.get_input_embeddings().weight.mul_(1.5)
    assert not torch.equal(before, steps.logits([5, 6], [0, 0]))


def test_a_step_that_cannot_be_captured_runs_kernel_by_kernel(monkeypatch, caplog):
    def fails(step):
        raise RuntimeError("operation not permitted when stream is capturing")

    net, asked = network(), [Request((3, 4, 5), i, 6) for i in range(3)]
    expected = Engine({"policy": net}, NEVER).generate(asked)
    monkeypatch.setattr(decoding, "capture_on", lambda device: fails)
    same(Engine({"policy": net}, NEVER).generate(asked), expected)
    assert "cannot be captured as a CUDA graph (operation not permitted" in caplog.text


def test_conversations_continue_through_graphs(monkeypatch, replays):
    actual = turns(Engine({"policy": network()}, NEVER))
    assert replays
    monkeypatch.setattr(decoding, "capture_on", lambda device: None)
    same(actual, turns(Engine({"policy": network()}, NEVER)))
