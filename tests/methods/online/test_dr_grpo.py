import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.online.group import LENGTHS, REWARDS, group, per_answer

DR_GRPO = load("online/dr_grpo")
RLOO = load("online/rloo")


def test_golden():
    one = step(DR_GRPO, *group(), max_tokens=8)
    assert per_answer(one.value("advantage")) == pytest.approx([0, -1, -1, 2])
    assert one.value("per_token") == 1 / 8
    assert per_answer(one.gradient("logp")) == pytest.approx([0, 1 / 32, 1 / 32, -2 / 32])
    by_hand = sum(-a * n for a, n in zip([0, -1, -1, 2], LENGTHS, strict=True)) / 4
    assert one.metrics["loss/policy"] == pytest.approx(by_hand)
    assert one.metrics["loss"] == pytest.approx(by_hand / 8)


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
