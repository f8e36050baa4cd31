"""Sequences of similar length are neighbours, so that a block of slots reads few empty positions."""

import random

import pytest

from posttrain.sampling import decoding
from posttrain.sampling.engine import Engine
from posttrain.sampling.next_token import Mixture
from posttrain.sampling.request import Request
from posttrain.sampling.scheduler import Scheduler
from posttrain.sampling.slots import Slots
from tests.models.tiny import network
from tests.sampling.test_engine import NEVER, same
from tests.sampling.test_slots import turns


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setattr(decoding, "BLOCK", 4)


def asked(count=60, seed=0):
    drawn = random.Random(seed)
    return [Request((3, 4 + i % 7), i, drawn.randrange(1, 40)) for i in range(count)]


@pytest.mark.parametrize("size", [1, 4, 100])
def test_blocks_change_no_sample(size, monkeypatch):
    expected = Engine({"policy": network()}, NEVER, slots=16).generate(asked())
    monkeypatch.setattr(decoding, "BLOCK", size)
    same(Engine({"policy": network()}, NEVER, slots=16).generate(asked()), expected)


def test_blocks_change_no_conversation(narrow, monkeypatch):
    actual = turns(Engine({"policy": network()}, NEVER))
    monkeypatch.setattr(decoding, "BLOCK", 100)
    same(actual, turns(Engine({"policy": network()}, NEVER)))


def test_neighbouring_blocks_of_similar_width_are_merged():
    def blocks(*positions):
        return list(decoding.merged_blocks(positions, 2, page=1))

    assert blocks(9, 9, 8, 8, 3) == [(4, 10), (1, 4)]
    assert blocks(2, 3, 11, 9, 12) == [(2, 4), (3, 13)]
    assert blocks(5) == [(1, 6)]
    assert list(decoding.merged_blocks([9, 2, 1], 1, page=4)) == [(1, 12), (2, 4)]


def test_the_first_blocks_hold_the_longest_sequences(narrow):
    """Positions that are read, relative to those that hold a token, once all slots have been reused."""
    net = network()
    requests = asked(200)
    slots = Slots([net], 16, 64)
    scheduler = Scheduler(slots, slots.count, Mixture(slots.decodings, [1.0]), NEVER)
    scheduler.add(requests)
    read = used = steps = 0
    while scheduler.admit():
        positions = [s.position for s in scheduler.running]
        if steps > 20 and scheduler.has_waiting:
            read += sum(count * width for count, width in decoding.merged_blocks(positions, 4, page=1))
            used += sum(p + 1 for p in positions)
        scheduler.advance()
        scheduler.pop_finished()
        steps += 1
    assert read / used < 1.5
