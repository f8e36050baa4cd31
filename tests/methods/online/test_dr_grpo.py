import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.online.group import REWARDS, group, per_answer

DR_GRPO = load("online/dr_grpo")
RLOO = load("online/rloo")


def test_rloo_is_g_over_g_minus_1_times_this():
    dr, rloo = step(DR_GRPO, *group(), max_tokens=8), step(RLOO, *group())
    scaled = [4 / 3 * 8 * g for g in per_answer(dr.gradient("logp"))]
    assert per_answer(rloo.gradient("logp")) == pytest.approx(scaled, abs=1e-15)


def test_every_token_weighs_the_same_whatever_the_length_of_its_answer():
    long = step(DR_GRPO, *group(lengths=(8, 8, 8, 8)), max_tokens=8).gradient("logp")
    short = step(DR_GRPO, *group(lengths=(1, 1, 1, 1)), max_tokens=8).gradient("logp")
    assert per_answer(long) == per_answer(short)


def test_rewards_are_centred_and_not_scaled():
    moved = step(DR_GRPO, *group([3 * r + 5 for r in REWARDS]), max_tokens=8)
    assert per_answer(moved.value("advantage")) == pytest.approx([0, -3, -3, 6])
