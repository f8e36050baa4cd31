"""A focal loss and a band."""

import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import answer, step
from tests.methods.reward.pairs import on, plain

pytestmark = pytest.mark.paper("002:InternLM2 / COOL RLHF")


OPEN = {"barrier.weight": 0.0}


def test_the_focus_leaves_pairs_in_the_wrong_order_alone():
    assert on("reward/cool", [-0.7], OPEN).metrics["loss"] == pytest.approx(plain(-0.7), abs=1e-14)
    assert on("reward/cool", [0.7], OPEN).metrics["loss"] < 0.5 * plain(0.7)
    assert on("reward/cool", [0.7], {**OPEN, "gamma": 0.0}).metrics["loss"] == pytest.approx(plain(0.7), abs=1e-14)


def test_the_barrier_pushes_inwards_on_both_sides_even_outside_the_band():
    for score, sign in ((4.9, 1), (-4.9, -1), (60.0, 1), (-60.0, -1)):
        rows = [answer(other=[0.0], score=score) for _ in range(2)]
        pushed = sum(step(load("reward/cool"), *rows, pairs=[(0, 1)]).gradient("score"))
        assert pushed * sign > 0
