"""RL-VLM-F's reward: its loss, its sign, and that what is no preference never enters it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from posttrain.learners.seeing.preferences import Preference, agreement, bradley_terry, features, learned_reward
from posttrain.learners.worlds.chain import Chain
from posttrain.learners.worlds.key_door import KeyDoor, Place

pytestmark = pytest.mark.paper("wang2024n8c")
CHAIN = Chain(length=5)
STATES = list(range(5))
ALL = [Preference(a, b, a > b) for a in STATES for b in STATES if a != b]  # the farther one is preferred


def learned(said, **how):
    return learned_reward(CHAIN, STATES, said, seed=0, steps=60, **how)


def test_golden_loss():
    rewards = torch.tensor([1.0, 0.0, 0.5])
    loss = bradley_terry(rewards, torch.tensor([[0, 1], [1, 2], [2, 2]]))
    assert loss.tolist() == pytest.approx([-math.log(1 / (1 + math.exp(-1))), math.log(1 + math.exp(0.5)), math.log(2)])


def test_a_reward_orders_states_as_preferences_do_and_flipped_labels_turn_it():
    reward = learned(ALL)
    assert [reward[s] for s in STATES] == sorted(reward.values())
    assert all(-1 <= x <= 1 for x in reward.values())
    flipped = learned([replace(p, first=not p.first) for p in ALL])
    assert [flipped[s] for s in STATES] == sorted(flipped.values())[::-1]


def test_no_preference_never_enters_the_loss():
    some = [p for p in ALL if 0 not in (p.one, p.other)]
    none = [replace(p, first=None) for p in ALL if 0 in (p.one, p.other)]
    assert learned([*some, *none]) == learned(some)
    assert learned(none) == dict.fromkeys(STATES, 0.0)


def test_an_ensemble_is_the_mean_of_networks_that_differ():
    one, three = learned(ALL, members=1), learned(ALL, members=3)
    assert one != three
    assert learned(ALL, members=3) == three


def test_a_network_reads_the_fields_of_a_state():
    rows = features(KeyDoor(size=2), [Place(0, 0), Place(0, 1), Place(0, 1, True)])
    assert rows.sum(dim=1).tolist() == [4.0, 4.0, 4.0]
    assert [(rows[0] != rows[1]).sum().item(), (rows[0] != rows[2]).sum().item()] == [2, 4]


def test_agreement_is_the_share_of_pairs_in_the_same_order():
    assert agreement({0: 0.1, 1: 0.2, 2: 0.0}, {0: 0.0, 1: 1.0, 2: 1.0}) == 0.5
    assert math.isnan(agreement({0: 1.0, 1: 2.0}, {0: 0.0, 1: 0.0}))
