"""InstructRL: the prior decides what is alike, and players who never met understand each other."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest

from posttrain.learners.guides.instruction import (
    INSTRUCTION,
    convention,
    instructed,
    players,
    preferring,
    together,
    with_strangers,
)
from posttrain.learners.q_learning import Settings
from posttrain.learners.speaker import Scripted
from posttrain.learners.worlds.say_select import HEARS, SEES, SaySelect

pytestmark = pytest.mark.paper("002:Instruct-RL")

GAME = SaySelect(numbers=3)
LEARN = Settings(episodes=400, rate=0.2, explore=0.2)


@pytest.mark.parametrize(("second", "action"), [(0.4, 0), (0.6, 1)])
def test_golden_choice(second, action):
    """Q = (0, x), p = (0.9, 0.1), λ = 0.25: -0.026 against x - 0.576."""
    game = SaySelect(numbers=2)
    hooks = preferring(game, {(HEARS, 0): np.array([0.9, 0.1])}, 0.25)
    assert hooks.preference((HEARS, 0)) == pytest.approx([-0.02634, -0.57565], abs=1e-5)
    assert convention(game, {(HEARS, 0): [0.0, second]}, hooks)[HEARS, 0] == action
    assert hooks.preference((SEES, 0)) == [0.0, 0.0]


def test_the_limits_of_the_weight():
    prior = instructed(GAME, Scripted(1.0), INSTRUCTION)
    values = {(HEARS, n): [0.0, 0.0, 9.0] for n in range(3)}
    none, much = (convention(GAME, values, preferring(GAME, prior, weight)) for weight in (0.0, 1e3))
    assert [none[HEARS, n] for n in range(3)] == [2, 2, 2]
    assert [much[HEARS, n] for n in range(3)] == [0, 1, 2]


def test_who_plays_with_whom():
    same = {(does, n): n for does in (SEES, HEARS) for n in range(3)}
    turned = {(does, n): (n + (1 if does == SEES else -1)) % 3 for does in (SEES, HEARS) for n in range(3)}
    assert together(same, same) == together(turned, turned) == 1
    assert together(same, turned) == 0
    assert with_strangers([same, same, turned]) == [0.5, 0.5, 0]


@pytest.mark.parametrize("learner", ["q", "ppo"])
def test_the_instruction_makes_strangers_understand_each_other(learner):
    """Without the prior, players understand themselves better than strangers; with it, everybody."""
    prior = instructed(GAME, Scripted(1.0), INSTRUCTION)
    strength = 0.25 if learner == "q" else 0.2
    helped = players(GAME, learner, range(4), LEARN, prior, strength, batches=15)
    alone = players(GAME, learner, range(4), LEARN, {}, 0.0, batches=15)
    assert fmean(with_strangers(helped)) == 1
    assert fmean(with_strangers(alone)) < 0.8
    assert fmean(together(p, p) for p in alone) > fmean(with_strangers(alone))


def test_a_speaker_that_says_nothing_is_an_even_prior():
    class Silent(Scripted):
        def probabilities(self, questions):
            return [None] * len(questions)

    assert instructed(GAME, Silent(1.0), INSTRUCTION)[HEARS, 0].tolist() == pytest.approx([1 / 3] * 3)
