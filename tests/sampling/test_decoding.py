"""Recorded steps, on the CPU: a recorder that keeps the function stands for the graph of a GPU, which replays it."""

import pytest
import torch

from posttrain.sampling import decoding
from posttrain.sampling.engine import Engine
from posttrain.sampling.request import Request
from tests.models.tiny import ARCHITECTURES, network
from tests.sampling.test_engine import NEVER, requests, same
from tests.sampling.test_slots import turns


@pytest.fixture
def recorded(monkeypatch):
    """Steps are recorded, and replayed with whatever lies in their inputs: the list says how often."""
    replays = []

    def record(step):
        def replay():
            replays.append(step)
            return step()

        return replay

    monkeypatch.setattr(decoding, "recorder", lambda device: record)
    monkeypatch.setattr(decoding, "WIDTHS", 4)
    return replays


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_replayed_steps_draw_what_single_ones_draw(architecture, monkeypatch, recorded):
    net, asked = network(architecture), requests(11, max_tokens=20)
    found = Engine({"policy": net}, NEVER, slots=5).generate(asked)
    assert recorded
    monkeypatch.setattr(decoding, "recorder", lambda device: None)
    same(
        found,
        Engine({"policy": net}, NEVER, slots=5).generate(asked),
        within=1e-4 if "Gemma" in architecture else 1e-10,
    )


def test_a_shape_is_recorded_once_and_only_if_it_comes_back(recorded):
    steps = decoding.Decoding(network(), 8, 16)
    for count in (3, 4, 3, 3):  # all padded to 4
        steps.scores([5] * count, [1] * count)
    assert [len(shape) for shape in steps._steps] == [2]
    assert len(recorded) == 3
    steps.scores([5] * 5, [1] * 5)
    assert len(recorded) == 3


def test_the_padding_of_a_graph_writes_beside_the_slots(recorded):
    net = network()
    steps = decoding.Decoding(net, 4, 16)
    steps.scores([5, 6, 7, 8], [0, 0, 0, 0])
    before = [x[:, :4].clone() for x in (*steps.cache._keys.values(), *steps.cache._values.values())]
    for _ in range(3):
        steps.scores([9, 9, 9], [3, 3, 3])
    after = [*steps.cache._keys.values(), *steps.cache._values.values()]
    assert recorded
    for x, y in zip(before, after, strict=True):
        assert torch.equal(x[:, 3], y[:, 3])  # the fourth slot, which did not run
        assert not torch.equal(x[:, :3], y[:, :3])


def test_a_cache_that_has_moved_is_recorded_anew(recorded, monkeypatch):
    monkeypatch.setattr(decoding, "PAGE", 8)
    steps = decoding.Decoding(network(), 2, 8)
    for _ in range(2):
        steps.scores([5, 6], [7, 7])
    steps.cache.reserve(16)
    expected = decoding.Decoding(network(), 2, 16)
    for place in range(7):
        for each in (steps, expected):
            each.scores([5, 6], [place, place])
    assert torch.equal(steps.scores([5, 6], [7, 7]), expected.scores([5, 6], [7, 7]))


def test_new_weights_reach_a_recorded_step(recorded):
    net = network()
    steps = decoding.Decoding(net, 2, 8)
    before = [steps.scores([5, 6], [0, 0]).clone() for _ in range(3)][-1]
    with torch.no_grad():
        net.trunk.get_input_embeddings().weight.mul_(1.5)
    assert not torch.equal(before, steps.scores([5, 6], [0, 0]))


def test_what_cannot_be_recorded_runs_kernel_by_kernel(monkeypatch, caplog):
    def fails(step):
        raise RuntimeError("operation not permitted when stream is capturing")

    net, asked = network(), [Request((3, 4, 5), i, 6) for i in range(3)]
    expected = Engine({"policy": net}, NEVER).generate(asked)
    monkeypatch.setattr(decoding, "recorder", lambda device: fails)
    same(Engine({"policy": net}, NEVER).generate(asked), expected)
    assert "cannot be recorded as a graph (operation not permitted" in caplog.text


def test_conversations_go_on_through_graphs(monkeypatch, recorded):
    found = turns(Engine({"policy": network()}, NEVER))
    assert recorded
    monkeypatch.setattr(decoding, "recorder", lambda device: None)
    same(found, turns(Engine({"policy": network()}, NEVER)))
