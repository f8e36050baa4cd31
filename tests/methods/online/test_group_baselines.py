"""Advantages without a critic: what they share with each other, and what does not move them."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load
from tests.harness.numbers import step
from tests.methods.online.group import LENGTHS, REWARDS, group, per_answer

PLUS, BASELINE = load("online/reinforce_plus_plus"), load("online/reinforce_plus_plus_baseline")


def advantages(path, *answers, **settings):
    return per_answer(step(configure(load(f"online/{path}"), settings), *answers, max_tokens=8).value("advantage"))


def test_opo_of_answers_of_one_length_is_centred():
    same = group(lengths=(3, 3, 3, 3))
    assert advantages("opo", *same) == pytest.approx(advantages("dr_grpo", *same), abs=1e-14)


def test_opo_adds_up_to_nothing_over_the_tokens():
    assert sum(a * n for a, n in zip(advantages("opo", *group()), LENGTHS, strict=True)) == pytest.approx(0, abs=1e-14)


def test_maxrl_times_the_mean_is_centred_and_no_unit_of_reward_changes_it():
    assert advantages("maxrl", *group([3 * r for r in REWARDS])) == pytest.approx(advantages("maxrl", *group()))
    halved = advantages("maxrl", *group([r / 2 for r in REWARDS]))
    assert [a / 2 for a in halved] == pytest.approx(advantages("dr_grpo", *group([r / 2 for r in REWARDS])))


def test_gpg_without_equal_groups_is_dr_grpos_advantage():
    assert advantages("gpg", *group()) == pytest.approx(advantages("dr_grpo", *group()), abs=1e-14)


@pytest.mark.parametrize("path", ["opo", "pass_at_k", "gpg", "reinforce_plus_plus_baseline"])
def test_a_constant_added_to_all_rewards_changes_nothing(path):
    moved = group([r + 5 for r in REWARDS])
    assert advantages(path, *moved) == pytest.approx(advantages(path, *group()), abs=1e-12)


@pytest.mark.parametrize("path", ["opo", "maxrl", "pass_at_k", "gpg", "reinforce_plus_plus_baseline"])
def test_a_group_alone_or_without_contrast_teaches_nothing(path):
    assert advantages(path, *group([2.0, 2.0], [1, 3]), *group([7.0], [2], prompt=5)) == [0, 0, 0]


def test_one_group_of_equal_lengths_is_grpo_with_the_biased_deviation():
    same = group(lengths=(2, 2, 2, 2))
    assert advantages("reinforce_plus_plus_baseline", *same) == pytest.approx(advantages("grpo", *same, ddof=0))


def test_without_kl_and_on_one_prompt_both_are_the_same():
    plain = advantages("reinforce_plus_plus", *group(), kl_weight=0.0)
    assert plain == pytest.approx(advantages("reinforce_plus_plus_baseline", *group()))


def test_the_kl_of_earlier_tokens_is_not_charged_to_later_ones():
    """Its price stands at its own token, so what the tokens of an answer earn from there on differs."""
    one = step(configure(PLUS, {"kl_weight": 1.0}), *group([0.0], [2], ref_logp=-2.0))
    assert one.value("credit") == [[-2.0, -1.0]]
    assert one.value("advantage")[0] == pytest.approx([-1, 1], abs=1e-7)
    assert BASELINE.derived["credit"] != PLUS.derived["credit"]
