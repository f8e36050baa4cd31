import pytest

from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.online.group import REWARDS, group, per_answer

RLOO = load("online/rloo")


def test_of_two_answers_each_is_the_others_baseline():
    one = step(RLOO, *group([5.0, 2.0], [1, 2]))
    assert per_answer(one.value("advantage")) == pytest.approx([3, -3])


def test_an_answer_without_siblings_teaches_nothing():
    assert per_answer(step(RLOO, *group([5.0], [2])).value("advantage")) == [0]


def test_a_constant_added_to_all_rewards_changes_nothing():
    moved = step(RLOO, *group([r + 5 for r in REWARDS]))
    plain = step(RLOO, *group())
    assert per_answer(moved.value("advantage")) == pytest.approx(per_answer(plain.value("advantage")), abs=1e-14)


def test_it_is_reinforce_with_the_mean_of_the_others_as_baseline():
    baseline = {"baseline": {"mean": 4 / 3, "weight": 1.0}}  # of the second answer: (1 + 0 + 3) / 3
    alone = step(load("online/reinforce"), group()[1], states=baseline)
    assert per_answer(alone.value("advantage")) == pytest.approx(
        [per_answer(step(RLOO, *group()).value("advantage"))[1]]
    )
