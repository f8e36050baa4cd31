"""Rewards of states: what a learner gets, what a watcher is asked, and that a good watcher helps."""

from __future__ import annotations

from statistics import fmean

import pytest

from posttrain.learners.q_learning import Settings, Transition, q_learning
from posttrain.learners.seeing.encoder import CaptionEncoder
from posttrain.learners.seeing.preferences import Preference, agreement, learned_reward
from posttrain.learners.seeing.watching import (
    StateReward,
    learned,
    nearer,
    pairs_of,
    preferred,
    seen,
    values_of,
    visited,
)
from posttrain.learners.speaker import Scripted
from posttrain.learners.worlds.chain import Chain

CHAIN = Chain(length=5, slip=0.0, near=0.0)
VALUES = values_of(CHAIN)
FEW = Settings(episodes=15, horizon=30)


class Says:
    def __init__(self, *said):
        self.said, self.questions = list(said), []

    def answer(self, questions):
        self.questions += questions
        return [self.said.pop(0) for _ in questions]


def test_a_step_earns_the_reward_of_where_it_leads_and_never_more_than_0():
    reward = StateReward({1: 0.25})
    assert 0.5 + reward(Transition(0, 1, 0.5, 1, False, 0, 0)) == -0.75
    assert reward(Transition(0, 1, 0.5, 2, False, 0, 0)) is None


def test_an_end_is_worth_what_led_to_it():
    assert [VALUES[s] for s in range(5)] == pytest.approx([0.95**3, 0.95**2, 0.95, 1.0, 1 / 0.95])


@pytest.mark.paper("wang2024n8c")
def test_a_watcher_is_asked_in_two_stages_and_what_it_does_not_say_is_no_preference():
    pairs = [(0, 1), (1, 0), (2, 3), (3, 4)]
    says = Says("a", "b", None, "d", "first", "second", "no preference", None)
    said = preferred(CHAIN, says, "get there", pairs, VALUES)
    assert said == [Preference(0, 1, True), Preference(1, 0, False), Preference(2, 3, None), Preference(3, 4, None)]
    first, second = says.questions[:4], says.questions[4:]
    assert [q.truth for q in second] == ["second", "first", "second", "second"]
    for (a, b), one, two, text in zip(pairs, first, second, ("a", "b", "", "d"), strict=True):
        assert one.text.index(CHAIN.describe(a)) < one.text.index(CHAIN.describe(b))
        assert "get there" in one.text
        assert two.text.startswith(one.text.rsplit("\n", 1)[0])
        assert f"{text}\nWhich one" in two.text
    assert preferred(CHAIN, Scripted(1.0), "", [(2, 2)], VALUES, describe=False) == [Preference(2, 2, None)]
    assert len((alone := Says("first")).questions) == 0
    preferred(CHAIN, alone, "", [(0, 1)], VALUES, describe=False)
    assert len(alone.questions) == 1


@pytest.mark.paper("wang2024n8c")
def test_a_watcher_that_is_right_beats_the_sparse_reward():
    pairs = pairs_of([*VALUES], 30, 0)
    rewards = learned_reward(CHAIN, [*VALUES], preferred(CHAIN, Scripted(1.0), CHAIN.goal, pairs, VALUES), seed=0)
    assert agreement(rewards, VALUES) > 0.9
    helped = [fmean(learned(CHAIN, rewards, seed, FEW).returns) for seed in range(3)]
    alone = [fmean(q_learning(CHAIN, seed, FEW).returns) for seed in range(3)]
    assert min(helped) > max(alone)


@pytest.mark.paper("rocamonde2023o9z")
def test_an_encoder_sees_the_goal():
    eyes = CaptionEncoder()
    rewards = seen(CHAIN, eyes, CHAIN.describe(4), CHAIN.describe(0), 0.0)
    assert rewards[4] == pytest.approx(1.0)
    assert max(rewards, key=rewards.__getitem__) == 4
    along = seen(CHAIN, eyes, CHAIN.describe(4), CHAIN.describe(0), 1.0)
    assert along[4] == pytest.approx(1.0)
    assert min(along, key=along.__getitem__) == 0


def test_an_encoder_prefers_by_a_margin():
    said = nearer({0: 0.5, 1: 0.6, 2: 0.55}, [(1, 0), (0, 1), (0, 2)], 0.1 - 1e-9)
    assert [p.first for p in said] == [True, False, None]


def test_pairs_differ_and_without_a_reward_all_is_met_by_chance():
    pairs = pairs_of([0, 1, 2], 20, 0)
    assert len(pairs) == 20
    assert all(a != b for a, b in pairs)
    assert pairs_of([0], 3, 0) == []
    met = visited(CHAIN, {}, 0, Settings(episodes=5, horizon=200))
    assert met[0] == 0
    assert set(met) == set(range(5))
