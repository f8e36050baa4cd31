"""Slot utilisation, on a realistic distribution of lengths."""

import math
import random

import pytest

from posttrain.sampling.engine import Engine
from posttrain.sampling.request import Request
from tests.models.tiny import network
from tests.sampling.test_engine import NEVER, requests


def lognormal(prompts=64, samples=8, mean=96, sigma=0.7, longest=1500):
    """Requests with log-normal lengths."""
    drawn = random.Random(0)
    shape = [(3 + p % 30, 4 + p // 30) for p in range(prompts)]
    mu = math.log(mean) - sigma**2 / 2
    return [
        Request(shape[p], p * samples + k, min(longest, max(1, round(drawn.lognormvariate(mu, sigma)))))
        for p in range(prompts)
        for k in range(samples)
    ]


def test_slots_are_busy_on_a_real_distribution_of_lengths():
    net = network(num_hidden_layers=1, hidden_size=8, intermediate_size=8, max_position_embeddings=2048).float()
    engine = Engine({"policy": net}, NEVER)
    actual = engine.generate(asked := lognormal())
    assert [len(c.tokens) for c in actual] == [r.max_tokens for r in asked]
    metrics = engine.occupancy.metrics()
    assert metrics["sampling/occupancy_before_tail"] > 0.95
    assert metrics["sampling/occupancy"] > 0.85


@pytest.mark.paper("000:[24]")
def test_occupancy_is_the_part_of_the_slot_steps_that_work():
    engine = Engine({"policy": network()}, NEVER, slots=2)
    engine.generate([Request((3, 4), 0, 2), Request((3, 5), 1, 6), Request((3, 6), 2, 3)])
    # The longest runs for 6 steps. Beside it the second slot is busy for 3 and then 2 steps, and idle for the last.
    assert engine.occupancy.metrics() == pytest.approx(
        {"sampling/occupancy": 11 / 12, "sampling/occupancy_before_tail": 1.0}
    )
    assert engine.occupancy.metrics() == {}


def test_slots_beyond_the_number_of_requests_do_not_count():
    engine = Engine({"policy": network()}, NEVER, slots=64)
    engine.generate(requests(5, max_tokens=4))
    assert engine.occupancy.metrics() == {"sampling/occupancy": 1.0}
