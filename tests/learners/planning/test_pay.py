"""What an expert teaches: the contrastive loss, its gradient, and the payoff."""

from __future__ import annotations

import numpy as np
import pytest

from posttrain.learners.planning.pay import Possible, contrastive_loss, learn_payoff, learn_possible

PATHS = [[("a", 0), ("b", 1), ("c", 2)], [("b", 1), ("c", 2)], [("a", 1), ("b", 1), ("a", 0), ("b", 1), ("c", 2)]]
pytestmark = pytest.mark.paper("hazra20242in")


def test_golden():
    assert contrastive_loss(0.9, 0.1, 0.2) == pytest.approx(np.log(1.2 / 0.9))
    assert contrastive_loss(0.5, 0.5, 0.5) == pytest.approx(np.log(3))


def test_one_step_descends_the_loss_by_its_gradient():
    """From θ = 0 with the skills 0 (positive), 1 (negative) and 2 (drawn): the slopes of the loss, by differences."""
    theta, h = np.zeros(3), 1e-6

    def loss(theta):
        return contrastive_loss(*(1 / (1 + np.exp(-theta))))

    slopes = [(loss(theta + h * np.eye(3)[k]) - loss(theta - h * np.eye(3)[k])) / (2 * h) for k in range(3)]
    seed = next(s for s in range(50) if np.count_nonzero(_after(s)) == 3)
    assert _after(seed) == pytest.approx(-0.5 * np.array(slopes))


def _after(seed):
    return learn_possible([[("x", 0), ("y", 1)]], 3, seed, passes=1, rate=0.5).logits["x"]


def test_the_experts_skill_becomes_possible_and_the_others_do_not():
    possible = learn_possible(PATHS[:2], 3, seed=0)
    for state, k in (("a", 0), ("b", 1), ("c", 2)):
        assert possible(state).argmax() == k
        assert possible(state)[k] > 0.8 > 0.3 > np.delete(possible(state), k).max()
    assert possible("elsewhere") == pytest.approx([0.5] * 3)
    assert Possible({}, 2)("a") == pytest.approx([0.5, 0.5])


def test_steps_become_small_where_the_loss_is():
    """θ grows like a logarithm, since its gradient has the factor 1 - σ(θ)."""
    assert 1 < learn_possible(PATHS[:2], 3, seed=0, passes=300).logits["a"].max() < 6


def test_the_payoff_counts_the_skills_that_were_still_to_come():
    """In a, skill 0 leaves 3 skills in both episodes; skill 1 leaves 5."""
    payoff = learn_payoff(PATHS, 3, decay=0.5, longest=6)
    assert payoff["a"] == pytest.approx([1.0, 0.5**2, 0.5**6])
    assert payoff["c"] == pytest.approx([0.5**6, 0.5**6, 1.0])
    assert payoff["b"][1] == 1.0
