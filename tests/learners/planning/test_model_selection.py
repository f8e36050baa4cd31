"""The master over models: its step, its estimates, and where its trust goes."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.learners.planning.model_selection import Advisor, Ucb, compared, importance_weighted, log_barrier, play
from posttrain.learners.speaker import Scripted
from posttrain.learners.worlds.recommendation import Recommendation

pytestmark = pytest.mark.paper("000-text:online model selection")


def test_golden():
    """1 / p' = 2 + η (ℓ - λ): with ℓ = (1, 0), η = 1 the two inverses are a and a - 1 with 1/a + 1/(a - 1) = 1."""
    a = (3 + 5**0.5) / 2
    assert log_barrier(np.array([0.5, 0.5]), np.array([1.0, 0.0]), 1.0) == pytest.approx([1 / a, 1 / (a - 1)])


def test_the_step_solves_its_equation():
    drawn = np.random.default_rng(0)
    for _ in range(50):
        p, loss, rate = drawn.dirichlet(np.ones(4)), drawn.exponential(5, 4), float(drawn.uniform(0.01, 3))
        new = log_barrier(p, loss, rate)
        assert new.sum() == pytest.approx(1)
        assert (new > 0).all()
        shift = (1 / new - 1 / p) / rate - loss  # -λ, the same for all
        assert shift == pytest.approx([shift[0]] * 4, rel=1e-6, abs=1e-6)


def test_equal_losses_move_nothing_and_one_base_is_that_base():
    p = np.array([0.7, 0.2, 0.1])
    assert log_barrier(p, np.full(3, 4.0), 2.0) == pytest.approx(p)
    assert log_barrier(np.array([1.0]), np.array([3.0]), 1.0) == pytest.approx([1.0])
    world = Recommendation(readers=2, items=3)
    earned, trust = play(world, [Ucb(2, 3)], seed=0, rounds=20, rate=1.0, least=0.0, share=False)
    assert (trust == 1).all()
    assert earned.shape == (20,)


def test_importance_weighted_losses_are_unbiased():
    p, loss = np.array([0.2, 0.5, 0.3]), np.array([0.9, 0.1, 0.4])
    mean = sum(q * importance_weighted(loss[i], i, p) for i, q in enumerate(p))
    assert mean == pytest.approx(loss)
    assert importance_weighted(0.9, 0, p) == pytest.approx([4.5, 0, 0])


def test_a_bandit_tries_everything_and_then_the_most_promising():
    bandit = Ucb(1, 3, width=1.0)
    for expected, reward in ((0, 1.0), (1, 0.0), (2, 0.5)):
        assert bandit.act(0) == expected
        bandit.learn(0, expected, reward)
    bonus = np.sqrt(np.log(3))
    assert bandit.act(0) == int(np.argmax([1 + bonus, bonus, 0.5 + bonus]))
    for _ in range(6):
        bandit.learn(0, 0, 0.0)
    n = np.log(9)
    assert bandit.act(0) == int(np.argmax([1 / 7 + np.sqrt(n / 7), np.sqrt(n), 0.5 + np.sqrt(n)]))


def test_only_who_acted_learns_unless_they_share():
    world = Recommendation(readers=2, items=3)
    for share, seen in ((True, 40), (False, 20)):
        learner, other = Ucb(2, 3), Ucb(2, 3)
        play(world, [learner, other], seed=0, rounds=40, rate=0.1, least=1.0, share=share)
        assert (learner.counts.sum() == seen) == share
        assert learner.counts.sum() + other.counts.sum() == (80 if share else 40)


def test_a_good_speaker_is_trusted_first_and_last_and_a_bad_one_is_left():
    world = Recommendation(readers=2, items=12, seed=1)
    how = {"rounds": 400, "rate": 1.0, "least": 0.05, "share": True}
    good, bad = (compared(world, Scripted(accuracy), [0, 1], **how) for accuracy in (1.0, 0.0))
    assert good.numbers["trust/first"] > 0.6
    assert bad.numbers["trust/last"] < 0.2 < bad.numbers["trust/first"]
    assert bad.numbers["calls"] < 0.3 < good.numbers["calls"]
    assert sum(good.helped) > sum(good.alone)
    assert sum(bad.alone) - sum(bad.helped) < 0.3
    assert len(bad.kept) == 400


def test_an_advisor_says_what_the_speaker_says():
    world = Recommendation(readers=2, items=6)
    advisor = Advisor(world, Scripted(1.0))
    assert [advisor.act(c) for c in (0, 1)] == world.clicks.argmax(axis=1).tolist()
    advisor.learn(0, 0, 1.0)
    assert advisor.asked == 2
