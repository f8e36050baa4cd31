"""Discounts between turns: whom the setting changes. What it computes is in methods/online/test_turns.py."""

import pytest

from posttrain.catalogue.configure import configure
from posttrain.catalogue.index import load, paths
from posttrain.core.parts import PartError
from posttrain.core.plan import plan


def test_rewards_stand_at_turns_and_other_settings_stay():
    made = configure(load("online/ppo"), {"discount": "turns", "turn_gamma": 0.9, "lam": 0.7, "kl_weight": 0.2})
    read = {(p.name, *p.settings) for d in made.derived.values() for p in d.part.walk()}
    assert ("gae_over_turns", ("lam", 0.7), ("turn_gamma", 0.9)) in read
    assert ("dense_reward_minus_kl", ("kl_weight", 0.2)) in read


def test_the_credit_of_a_cost_discounts_between_turns_and_its_place_stays():
    made = configure(load("online/safe_rlhf"), {"discount": "turns"})
    read = [p.name for d in made.derived.values() for p in d.part.walk()]
    assert read.count("gae_over_turns") == 2
    assert "gae" not in read
    assert "reward_minus_fixed_kl" in read


def test_every_method_with_discounts_takes_it_and_the_others_say_what_to_take():
    refused, taken = [], []
    for path in paths():
        try:
            taken.append(configure(load(path), {"discount": "turns"}))
        except PartError as error:
            refused.append(str(error))
    assert all("take online/turn_grpo" in error for error in refused)
    assert all(plan(made).trained for made in taken)
    assert len(taken) > 15


def test_another_value_is_an_error():
    with pytest.raises(PartError, match="must be turns, not 'tokens'"):
        configure(load("online/ppo"), {"discount": "tokens"})
    with pytest.raises(PartError, match="gamma"):
        configure(load("online/ppo"), {"discount": "turns", "gamma": 0.9})
