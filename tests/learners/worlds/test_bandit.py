"""The bandit pays as it says."""

from __future__ import annotations

import pytest

from posttrain.learners.value_iteration import value_iteration
from posttrain.learners.worlds.bandit import Bandit


def test_the_best_arm():
    values = value_iteration(Bandit(pays=[0.2, 0.7]).table())
    assert list(values.Q[0]) == pytest.approx([0.2, 0.7])
    assert values.V[0] == pytest.approx(0.7)


def test_words_and_episodes():
    made = Bandit(pays=(1.0, 0.0))
    assert "arm 1 pays with probability 1, arm 2 pays with probability 0" in made.describe(made.reset(0))
    assert made.step(0).reward == 1
    made.reset(0)
    assert made.step(1) == type(made.step(1))("behind", 0.0, True)
    assert made.describe("behind") == "The arm is pulled."
